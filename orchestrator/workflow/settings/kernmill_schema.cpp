#include <cstdio>
#include <string_view>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/standard_streams.hpp"
#include "kernmill/workflow/settings/schema.hpp"

// A developer's program: prints what workflows/kernmill.schema.json and the key reference have to be.

int main(int argc, char** argv) {
  kernmill::open_standard_streams();
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what == "schema")
    std::puts(kernmill::workflow_schema().dump(1).c_str());
  else if (what == "reference")
    std::fputs(kernmill::key_reference().c_str(), stdout);
  else
    std::fputs("usage: kernmill-schema schema|reference\n", stderr);
  return kernmill::flushed(what == "schema" || what == "reference" ? kernmill::exit_done
                                                                   : kernmill::exit_usage);
}
