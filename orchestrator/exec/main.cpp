#include "kernmill/exec/dispatch.hpp"

int main(int argc, char** argv) {
  return kernmill::exec::dispatch(argc, argv, {});
}
