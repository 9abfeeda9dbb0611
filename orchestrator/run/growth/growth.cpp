#include "kernmill/run/growth/growth.hpp"

#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/growth/left_list.hpp"

namespace kernmill {

std::optional<Growth> grow_run(const RunDirectory& run, const Plan& plan, const ResultOf& result_of) {
  if (plan.all_decided()) return {};
  auto growth = grow(plan, [&](const Matrix::Later& later) -> std::optional<DecidedList> {
    const auto left = result_of(deciding_instance(plan, later));
    if (!left) return {};
    return left_list(*left, later);
  });
  if (growth) write_next_plan(run, growth->plan);
  return growth;
}

}  // namespace kernmill
