// kernmill, but it kills itself at the KERNMILL_TEST_DIE_AT-th boundary of its journal: each record has two,
// one before it is durable and one after.
#include <csignal>
#include <cstdlib>
#include <string>

#include <unistd.h>

#include "kernmill/cli/cli.hpp"

int main(int argc, char** argv) {
  const char* text = std::getenv("KERNMILL_TEST_DIE_AT");
  const int last = text == nullptr ? 0 : std::stoi(text);
  int passed = 0;
  kernmill::cli::Hooks hooks;
  hooks.journal = [&](const kernmill::Record&, bool) {
    if (++passed == last) kill(getpid(), SIGKILL);
  };
  return kernmill::cli::main(argc, argv, hooks);
}
