#include "kernmill/tasks/support/program.hpp"

namespace kernmill::tasks {

std::string program() {
  return "kernmill-task " KERNMILL_VERSION;
}

}  // namespace kernmill::tasks
