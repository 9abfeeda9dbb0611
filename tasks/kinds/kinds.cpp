#include <array>

#include "kernmill/tasks/kinds/task.hpp"

namespace kernmill::tasks {

std::span<const Kind> kinds() {
  static constexpr std::array all{
      Kind{"preprocess", run_preprocess}, Kind{"train", run_train},
      Kind{"evaluate", run_evaluate},     Kind{"tune", run_tune},
      Kind{"deploy", run_deploy},
  };
  return all;
}

}  // namespace kernmill::tasks
