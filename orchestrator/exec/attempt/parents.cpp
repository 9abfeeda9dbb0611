#include "kernmill/exec/attempt/parents.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/run/journal/replay.hpp"

namespace kernmill::exec {
namespace {

/// Those of the instances that are neither committed nor skipped.
std::vector<InstanceId> missing(const std::vector<InstanceId>& instances, const Replay& replay) {
  std::vector<InstanceId> result;
  for (const InstanceId id : instances)
    if (replay.state(id) != State::finished && replay.state(id) != State::skipped) result.push_back(id);
  return result;
}

bool are_enough(const Plan& plan, const std::vector<InstanceId>& instances, const Replay& replay) {
  if (instances.empty()) return true;
  const std::size_t lacking = missing(instances, replay).size();
  const auto allowed = static_cast<std::size_t>(plan.stage(instances.front().stage).max_fails);
  return lacking == 0 || (instances.size() > 1 && lacking <= allowed && lacking < instances.size());
}

}  // namespace

std::vector<std::vector<InstanceId>> parents_of(const Plan& plan, InstanceId id) {
  std::vector<std::vector<InstanceId>> result;
  for (const Edge& edge : plan.parents(id.stage)) {
    auto& list = result.emplace_back();
    if (const auto one = plan.referred(id, edge.stage); one) {
      list.push_back(*one);
    } else {
      for (std::uint32_t i = 0; i < plan.instance_count(edge.stage); ++i) list.push_back({edge.stage, i});
    }
  }
  if (!plan.is_reduce(id)) return result;
  auto& trials = result.emplace_back();
  for (std::uint32_t i = 0; i < id.index; ++i) trials.push_back({id.stage, i});
  return result;
}

bool ParentRecords::is_true_of(InstanceId parent, Test test) const {
  const InstanceRecord* known = record_->find(plan_->stage(parent.stage).name, parent.index);
  return known != nullptr && test(*known);
}

bool ParentRecords::is_true_of_first(std::uint32_t count, std::uint32_t stage, Test test) const {
  for (std::uint32_t i = 0; i < count; ++i)
    if (!is_true_of({stage, i}, test)) return false;
  return true;
}

bool ParentRecords::all_parents(InstanceId id, Test test, WholeStages& whole_stages) {
  for (const Edge& edge : plan_->parents(id.stage)) {
    if (const auto one = plan_->referred(id, edge.stage); one) {
      if (!is_true_of(*one, test)) return false;
      continue;
    }
    const auto [known, is_new] = whole_stages.try_emplace(edge.stage, false);
    if (is_new) known->second = is_true_of_first(plan_->instance_count(edge.stage), edge.stage, test);
    if (!known->second) return false;
  }
  return !plan_->is_reduce(id) || is_true_of_first(id.index, id.stage, test);
}

Standing standing(const Plan& plan, InstanceId id, const RunRecord& record) {
  if (ParentRecords(plan, record).all_committed(id)) return Standing::may_run;
  const Replay replay(plan, record);
  const State state = replay.state(id);
  if (state == State::skipped) return Standing::skipped;
  if (state == State::blocked) return Standing::blocked;
  const auto parents = parents_of(plan, id);
  const bool enough = std::all_of(parents.begin(), parents.end(),
                                  [&](const auto& stage) { return are_enough(plan, stage, replay); });
  return enough ? Standing::may_run : Standing::unsettled;
}

std::string why_unsettled(const Plan& plan, InstanceId id, const RunRecord& record) {
  const Replay replay(plan, record);
  std::vector<std::string> labels;
  for (const auto& stage : parents_of(plan, id)) {
    if (are_enough(plan, stage, replay)) continue;
    for (const InstanceId parent : missing(stage, replay)) labels.push_back(plan.label(parent));
    break;
  }
  constexpr std::size_t shown = 3;
  const std::size_t others = labels.size() > shown ? labels.size() - shown : 0;
  labels.resize(labels.size() - others);
  return fmt::format("its parents have not finished: the journal has no commit of {}{}",
                     fmt::join(labels, ", "), others > 0 ? fmt::format(" and {} more", others) : "");
}

}  // namespace kernmill::exec
