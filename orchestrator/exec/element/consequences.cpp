#include "kernmill/exec/element/consequences.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "kernmill/run/journal/commit_table.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/replay.hpp"

namespace kernmill::exec {
namespace {

bool has_begun(const Plan& plan, const RunRecord& record, InstanceId id) {
  const InstanceRecord* known = record.find(plan.stage(id.stage).name, id.index);
  return known != nullptr && (known->committed || known->skipped || !known->attempts.empty());
}

/// Why an instance whose parents have all settled does not run; nothing when it does, or when that cannot be
/// computed: then it fails where it would run.
std::optional<std::string> why_skipped(const Plan& plan, InstanceId id, const CommitTable& commits) {
  try {
    if (when_is_true(plan, id, commits)) return {};
    return why_false(plan, id, commits);
  } catch (const ExpressionError&) {
    return {};
  }
}

/// The instances that can run, but whose `when` is false.
std::vector<Consequences::Skip> closed_gates(const Plan& plan, const RunRecord& record, const Replay& replay,
                                             const CommitTable& commits) {
  std::vector<Consequences::Skip> closed;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    if (plan.stage(stage).when.empty()) continue;
    for (std::uint32_t i = 0; i < plan.instance_count(stage); ++i) {
      const InstanceId id{stage, i};
      if (replay.state(id) != State::running || has_begun(plan, record, id)) continue;
      if (auto why = why_skipped(plan, id, commits)) closed.push_back({id, std::move(*why)});
    }
  }
  return closed;
}

RunRecord without(const Plan& plan, RunRecord record, const std::vector<InstanceId>& ids) {
  for (const InstanceId id : ids) record.instances.erase({plan.stage(id.stage).name, id.index});
  return record;
}

bool is_idle(State state) {
  return state == State::blocked || state == State::skipped;
}

/// The elements of an array for which `test` is true of every instance, as they are named to cancel them.
template <typename Test>
void cancel_where(std::vector<std::string>& cancelled, const SubmittedArray& array, const Test& test) {
  if (array.job.empty()) return;
  IndexRanges elements;
  const IndexRanges all = array.plan.element_indices();
  for (const auto& range : all.ranges())
    for (std::uint32_t element = range.first; element <= range.last; ++element)
      if (test(array.plan.instances_of(element))) elements.append(element);
  if (elements.empty()) return;
  if (elements == all)
    cancelled.push_back(array.job);
  else if (elements.size() == 1)
    cancelled.push_back(array.job_of(elements.at(0)));
  else
    cancelled.push_back(fmt::format("{}_[{}]", array.job, elements.text()));
}

template <typename Test>
bool all_of(const IndexRanges& instances, const Test& test) {
  for (const auto& range : instances.ranges())
    for (std::uint32_t i = range.first; i <= range.last; ++i)
      if (!test(i)) return false;
  return true;
}

}  // namespace

void journal_skips(const Plan& plan, const Consequences& consequences, JournalWriter& journal) {
  for (const auto& skip : consequences.skipped)
    journal.append(to_record(events::Skipped{plan.stage(skip.id.stage).name, skip.id.index, skip.why}));
}

bool has_gated_children(const Plan& plan, std::uint32_t stage) {
  return std::any_of(plan.children(stage).begin(), plan.children(stage).end(),
                     [&](const Edge& edge) { return !plan.stage(edge.stage).when.empty(); });
}

Consequences consequences(const Plan& plan, const RunRecord& record, const std::vector<InstanceId>& settled,
                          bool fail_fast) {
  const Replay before(plan, without(plan, record, settled));
  const CommitTable commits = commits_in(plan, record);
  Consequences result;
  std::vector<InstanceId> skipped;
  std::optional<Replay> after(std::in_place, plan, record);
  // What is skipped may settle the parents of others.
  for (auto closed = closed_gates(plan, record, *after, commits); !closed.empty();
       closed = closed_gates(plan, record, *after, commits)) {
    for (auto& skip : closed) {
      skipped.push_back(skip.id);
      result.skipped.push_back(std::move(skip));
    }
    after.emplace(plan, record, skipped);
  }
  const bool everything = fail_fast && after->outcome() == PlanOutcome::failed;
  const auto arrays = submitted_arrays(plan, record);
  for (const SubmittedArray& array : arrays)
    cancel_where(result.cancelled, array, [&](const IndexRanges& instances) {
      bool is_news = false;
      const bool idle = all_of(instances, [&](std::uint32_t i) {
        const InstanceId id{array.plan.stage, i};
        if (newest_array(arrays, id) != &array) return false;
        if (everything) return is_news = true, !has_begun(plan, record, id);
        is_news = is_news || !is_idle(before.state(id));
        return is_idle(after->state(id));
      });
      return idle && is_news;
    });
  return result;
}

}  // namespace kernmill::exec
