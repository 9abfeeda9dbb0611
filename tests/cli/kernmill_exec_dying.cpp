// kernmill-exec, but when it carries out KERNMILL_TEST_INSTANCE ("left.1") for the first time it kills itself
// at the KERNMILL_TEST_DIE_AT-th boundary of its journal, and leaves the file KERNMILL_TEST_KILLED.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include <unistd.h>

#include "kernmill/exec/dispatch.hpp"

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string option(int argc, char** argv, const std::string& name) {
  for (int i = 1; i + 1 < argc; ++i)
    if (argv[i] == name) return argv[i + 1];
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string instance = option(argc, argv, "--stage") + "." + option(argc, argv, "--instance");
  const std::string attempt = option(argc, argv, "--attempt");  // none: a pack, "many."
  const bool chosen = instance == variable("KERNMILL_TEST_INSTANCE") && (attempt.empty() || attempt == "1") &&
                      ::access(variable("KERNMILL_TEST_KILLED").c_str(), F_OK) != 0;
  const int last = chosen ? std::stoi(variable("KERNMILL_TEST_DIE_AT")) : 0;
  int passed = 0;
  return kernmill::exec::dispatch(argc, argv, [&](const kernmill::Record&, bool) {
    if (++passed != last) return;
    std::ofstream(variable("KERNMILL_TEST_KILLED")) << instance;
    kill(getpid(), SIGKILL);
  });
}
