#include "kernmill/exec/element/element_context.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/exec/attempt/parents.hpp"
#include "kernmill/exec/element/consequences.hpp"
#include "kernmill/exec/element/settled_stages.hpp"
#include "kernmill/plan/gathering.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/submit/generation.hpp"

namespace kernmill::exec {
namespace {

/// Whether the instance has a final word of its own already: a job may be started again after that.
std::string settled_before(const RunRecord& record, const Plan& plan, InstanceId id) {
  const InstanceRecord* own = record.find(plan.stage(id.stage).name, id.index);
  if (own == nullptr) return {};
  if (own->committed) return "it has been committed already";
  return own->skipped ? own->skip_reason : "";
}

/// Whether each element of a stage's newest arrays has begun: only then can all of them have settled.
bool all_have_begun(const ElementContext& context, std::uint32_t stage) {
  const BegunJobs begun(context.run.journal());
  for (const SubmittedArray& array : context.arrays) {
    if (array.plan.stage != stage || array.generation != context.array.generation) continue;
    const IndexRanges elements = array.plan.element_indices();
    for (const auto& range : elements.ranges())
      for (std::uint32_t element = range.first; element <= range.last; ++element)
        if (begun.starts(array.job_of(element), array.generation) == 0) return false;
  }
  return true;
}

/// What has to be known of the journal to see what follows: nothing when nothing can.
std::optional<RunRecord> record_for(const ElementContext& context, const std::vector<InstanceId>& settled,
                                    bool after_failure) {
  const Plan& plan = context.plan;
  const std::uint32_t stage = settled.front().stage;
  const bool gated = has_gated_children(plan, stage) && all_have_begun(context, stage);
  if (gated || (after_failure && context.fail_fast)) return context.whole_journal();
  if (!after_failure || (plan.children(stage).empty() && plan.stage(stage).kind != TaskKind::tune)) return {};
  // What is blocked by this stage's failures is blocked whatever the others did.
  JournalSelection own;
  if (plan.stage(stage).max_fails > 0)
    own.add_stage(plan, context.arrays, stage);
  else
    for (const InstanceId id : settled) own.add_instance(plan, context.arrays, id);
  return context.journal_of(own);
}

/// Stages that it waits for with all their instances.
std::vector<std::uint32_t> whole_parents(const Plan& plan, InstanceId id) {
  std::vector<std::uint32_t> stages;
  for (const Edge& edge : plan.parents(id.stage))
    if (!plan.referred(id, edge.stage)) stages.push_back(edge.stage);
  return stages;
}

}  // namespace

RunRecord ElementContext::whole_journal() const {
  RunRecord record = fold_journal(run.journal());
  forget_older_failures(record, plan, arrays);
  return record;
}

RunRecord ElementContext::journal_of(const JournalSelection& selection) const {
  RunRecord record =
      fold_journal(run.journal(), [&](std::string_view file) { return selection.wants(file); });
  forget_older_failures(record, plan, arrays);
  return record;
}

RunRecord read_until_settled(const ElementContext& context, const std::vector<InstanceId>& ids) {
  SettledStages settled(context.run, context.plan, context.array.generation);
  const std::vector<std::uint32_t> whole = whole_parents(context.plan, ids.front());
  const std::uint32_t own = ids.front().stage;
  for (const std::uint32_t stage : whole)
    if (!gathers(context.plan, own, stage)) settled.look_for(stage);
  JournalSelection selection;
  for (const InstanceId id : ids) {
    selection.add_instance(context.plan, context.arrays, id);
    selection.add_parents(context.plan, context.arrays, id, settled.known());
  }
  RunRecord record = context.late_files.until(
      [&] {
        RunRecord read = context.journal_of(selection);
        settled.add_to(read);
        return read;
      },
      [&](const RunRecord& read) {
        ParentRecords parents(context.plan, read);
        return std::all_of(ids.begin(), ids.end(), [&](InstanceId id) { return parents.all_settled(id); });
      });
  for (const std::uint32_t stage : whole) settled.note(stage, record);
  return record;
}

Look look_at_parents(const ElementContext& context, InstanceId id) {
  const Plan& plan = context.plan;
  Look look{Look::What::run, read_until_settled(context, {id}), {}};
  look.why = settled_before(look.record, plan, id);
  if (!look.why.empty()) return look.what = Look::What::nothing_to_do, look;
  if (ParentRecords(plan, look.record).all_committed(id)) return look;
  look.record = context.whole_journal();
  switch (standing(plan, id, look.record)) {
    case Standing::may_run:
      break;
    case Standing::skipped:
      look.what = Look::What::nothing_to_do;
      look.why = "its parents were skipped";
      break;
    case Standing::blocked:
      look.what = Look::What::blocked;
      look.why = "a stage that it waits for has failed";
      break;
    case Standing::unsettled:
      look.what = Look::What::blocked;
      look.why = why_unsettled(plan, id, look.record);
      break;
  }
  return look;
}

void draw_consequences(const ElementContext& context, JournalWriter& journal,
                       const std::vector<InstanceId>& settled, bool after_failure) {
  if (settled.empty()) return;
  const auto record = record_for(context, settled, after_failure);
  if (!record) return;
  // The plan may have grown while this element ran.
  const auto newer =
      context.plan.all_decided() ? std::nullopt : std::optional(read_plan_file(context.run).plan);
  const Plan& plan = newer ? *newer : context.plan;
  const Consequences all = consequences(plan, *record, settled, context.fail_fast);
  journal_skips(plan, all, journal);
  for (const std::string& job : all.cancelled)
    if (job != context.batch.job.name()) context.batch.job.cancel(job);
}

}  // namespace kernmill::exec
