#include "kernmill/exec/element/node_failures.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/run/bad_nodes/bad_nodes_folder.hpp"
#include "kernmill/run/journal/events.hpp"

namespace kernmill::exec {
namespace {

constexpr int most_files = 256;  // of other elements: what an attempt reads does not grow with the run

/// What the instance's own attempts say, and those of others of its stage.
RunRecord stage_records(const ElementContext& context, InstanceId id) {
  JournalSelection own, stage;
  own.add_instance(context.plan, context.arrays, id);
  stage.add_stage(context.plan, context.arrays, id.stage);
  int others = 0;
  return fold_journal(context.run.journal(), [&](std::string_view file) {
    return own.wants(file) || (stage.wants(file) && ++others <= most_files);
  });
}

std::optional<ClusterFacts> facts_of(OwnJob& job) {
  try {
    return job.cluster().facts();
  } catch (const ClusterError& error) {
    fmt::print(stderr, "kernmill-exec: cannot ask for the cluster's nodes: {}\n", error.what());
    return {};
  }
}

}  // namespace

void settle_lost_attempt(const ElementContext& context, InstanceId id, const RunRecord& record,
                         JournalWriter& journal) {
  const std::string& stage = context.plan.stage(id.stage).name;
  const InstanceRecord* own = record.find(stage, id.index);
  if (context.batch.place.restart == 0 || own == nullptr || own->attempts.empty()) return;
  const AttemptRecord& last = own->attempts.back();
  const bool is_lost = last.state == AttemptState::open && last.started && !last.node.empty() &&
                       last.number + 1 == context.attempt();
  const auto facts = is_lost ? facts_of(context.batch.job) : std::nullopt;
  if (!facts) return;
  const bool is_down = std::any_of(facts->nodes.begin(), facts->nodes.end(),
                                   [&](const auto& node) { return node.name == last.node && node.is_down; });
  if (is_down)
    journal.append(to_record(events::Abandoned{{stage, id.index, last.number},
                                               Cause::node_fail,
                                               fmt::format("its node {} went down", last.node),
                                               last.node}));
}

std::string nodes_to_avoid(const ElementContext& context, InstanceId id, Cause cause) {
  const Resources& planned = context.array.plan.resources;
  const Workflow& workflow = context.plan.workflow();
  const bool has_company = context.plan.instance_count(id.stage) > 1;
  const bool may_be_the_node =
      cause == Cause::node_fail || (has_company && (cause == Cause::error || cause == Cause::stalled));
  if (!may_be_the_node || workflow.bad_nodes.avoid_for.count() == 0) return planned.exclude;
  const auto bad = bad_nodes(node_attempts(stage_records(context, id)), workflow.bad_nodes,
                             std::chrono::system_clock::now());
  const auto facts = bad.empty() ? std::nullopt : facts_of(context.batch.job);
  if (!facts) return planned.exclude;
  const Avoidance avoidance = avoid(bad, planned, context.plan.stage(id.stage), *facts);
  for (const BadNode& node : avoidance.avoided)
    fmt::print(stderr, "kernmill-exec: the next attempt avoids {}\n", to_text(node));
  for (const BadNode& node : avoidance.needed)
    fmt::print(stderr, "kernmill-exec: the next attempt needs {}, and may run there again\n", to_text(node));
  return avoidance.exclude;
}

}  // namespace kernmill::exec
