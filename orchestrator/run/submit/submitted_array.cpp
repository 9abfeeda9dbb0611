#include "kernmill/run/submit/submitted_array.hpp"

#include <fmt/format.h>

namespace kernmill {

std::string SubmittedArray::job_of(std::uint32_t element) const {
  return plan.is_array ? fmt::format("{}_{}", job, element) : job;
}

namespace {

/// Of instances that came when the plan had grown, since it was read here.
bool is_beyond(const Plan& plan, const ArrayPlan& array) {
  const Matrix& matrix = plan.stage(array.stage).matrix;
  const bool may_have_grown = matrix.undecided() || !matrix.problem.empty();
  return may_have_grown && !array.instances.empty() &&
         array.instances.ranges().back().last >= plan.instance_count(array.stage);
}

}  // namespace

std::vector<SubmittedArray> submitted_arrays(const Plan& plan, const RunRecord& record) {
  std::vector<SubmittedArray> result;
  for (const auto& [number, generation] : record.generations) {
    if (generation.rolled_back) continue;
    for (const auto& [key, array] : generation.arrays)
      if (array.plan.is_object()) {
        ArrayPlan what = array_from_json(array.plan, plan);
        if (!is_beyond(plan, what)) result.push_back({number, std::move(what), array.job});
      }
  }
  return result;
}

const SubmittedArray* newest_array(const std::vector<SubmittedArray>& arrays, InstanceId id) {
  const SubmittedArray* newest = nullptr;
  for (const SubmittedArray& array : arrays)
    if (array.plan.stage == id.stage && array.plan.instances.contains(id.index)) newest = &array;
  return newest;
}

void forget_older_failures(RunRecord& record, const Plan& plan, const std::vector<SubmittedArray>& arrays) {
  for (auto& [key, instance] : record.instances) {
    const SubmittedArray* array = newest_array(arrays, {plan.stage_number(key.first), key.second});
    if (array == nullptr) continue;
    for (AttemptRecord& attempt : instance.attempts)
      if (attempt.number < array->plan.attempt && attempt.state == AttemptState::failed)
        attempt.state = AttemptState::abandoned;
  }
}

}  // namespace kernmill
