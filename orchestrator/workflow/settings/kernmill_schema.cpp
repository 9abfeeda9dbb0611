#include <cstdio>
#include <string_view>

#include "kernmill/workflow/settings/schema.hpp"

// A developer's program: prints what workflows/kernmill.schema.json and the key reference have to be.

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "schema") return std::puts(kernmill::workflow_schema().dump(1).c_str()) < 0;
  if (what == "reference") return std::fputs(kernmill::key_reference().c_str(), stdout) < 0;
  std::fputs("usage: kernmill-schema schema|reference\n", stderr);
  return 2;
}
