#include "kernmill/cli/cli.hpp"

int main(int argc, char** argv) {
  return kernmill::cli::main(argc, argv);
}
