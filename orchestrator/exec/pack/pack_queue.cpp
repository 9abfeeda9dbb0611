#include "kernmill/exec/pack/pack_queue.hpp"

#include <algorithm>

namespace kernmill::exec {
namespace {

/// Nothing when the instance has failed for good since its array was submitted.
std::optional<PackedInstance> next_attempt(std::uint32_t index, unsigned first, unsigned attempt,
                                           const InstanceRecord& record) {
  PackedInstance instance{index, attempt};
  for (const AttemptRecord& earlier : record.attempts) {
    instance.attempt = std::max(instance.attempt, earlier.number + 1);
    instance.started_before |= earlier.started;
    instance.out_of_memory =
        earlier.number >= first && earlier.cause == Cause::oom && earlier.state == AttemptState::retrying;
    if (earlier.number < first) continue;
    if (earlier.state == AttemptState::failed) return {};
    if (earlier.state != AttemptState::retrying) continue;
    instance.failures += earlier.counts && earlier.cause != Cause::oom ? 1 : 0;
    instance.time = earlier.time_factor;
  }
  return instance;
}

}  // namespace

std::vector<PackedInstance> left_to_run(const Plan& plan, const ArrayPlan& array, std::uint32_t element,
                                        unsigned attempt, const RunRecord& record) {
  std::vector<PackedInstance> left;
  const IndexRanges instances = array.instances_of(element);
  for (const auto& range : instances.ranges())
    for (std::uint64_t index = range.first; index <= range.last; ++index) {
      const auto number = static_cast<std::uint32_t>(index);
      const InstanceRecord* known = record.find(plan.stage(array.stage).name, number);
      if (known == nullptr)
        left.push_back({number, attempt});
      else if (!known->committed && !known->skipped)
        if (auto instance = next_attempt(number, array.attempt, attempt, *known)) left.push_back(*instance);
    }
  return left;
}

PackQueue::PackQueue(const std::vector<PackedInstance>& instances) {
  for (const PackedInstance& instance : instances) add(instance);
}

void PackQueue::add(const PackedInstance& instance) {
  (instance.out_of_memory ? alone_ : shared_).push_back(instance);
}

std::optional<PackedInstance> PackQueue::next(std::size_t running) {
  if (running == 0) alone_runs_ = false;
  if (alone_runs_) return {};
  auto& queue = shared_.empty() ? alone_ : shared_;
  if (queue.empty() || (&queue == &alone_ && running > 0)) return {};
  alone_runs_ = &queue == &alone_;
  const PackedInstance instance = queue.front();
  queue.pop_front();
  return instance;
}

void PackQueue::clear() {
  shared_.clear();
  alone_.clear();
}

}  // namespace kernmill::exec
