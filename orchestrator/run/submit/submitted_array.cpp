#include "kernmill/run/submit/submitted_array.hpp"

#include <fmt/format.h>

namespace kernmill {

std::string SubmittedArray::job_of(std::uint32_t element) const {
  return plan.is_array ? fmt::format("{}_{}", job, element) : job;
}

std::vector<SubmittedArray> submitted_arrays(const Plan& plan, const RunRecord& record) {
  std::vector<SubmittedArray> result;
  for (const auto& [number, generation] : record.generations) {
    if (generation.rolled_back) continue;
    for (const auto& [key, array] : generation.arrays)
      if (array.plan.is_object()) result.push_back({number, array_from_json(array.plan, plan), array.job});
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
