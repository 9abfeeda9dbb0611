#include "kernmill/exec/element/pack_element.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/parents.hpp"
#include "kernmill/exec/pack/pack.hpp"
#include "kernmill/run/journal/commit_table.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "kernmill/run/journal/replay.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/workflow/command_stage.hpp"

namespace kernmill::exec {
namespace {

std::vector<InstanceId> ids_of(const ElementContext& context) {
  std::vector<InstanceId> ids;
  const IndexRanges instances = context.array.plan.instances_of(context.batch.place.element);
  for (const auto& range : instances.ranges())
    for (std::uint32_t i = range.first; i <= range.last; ++i) ids.push_back({context.array.plan.stage, i});
  return ids;
}

/// The instances' own files, which are one.
JournalSelection own_files(const ElementContext& context, const std::vector<InstanceId>& ids) {
  JournalSelection selection;
  for (const InstanceId id : ids) selection.add_instance(context.plan, context.arrays, id);
  return selection;
}

/// Says of each instance whether it may run, reading the whole journal only where its parents' files do not
/// tell.
class Gatekeeper {
 public:
  Gatekeeper(const ElementContext& context, const RunRecord& record)
      : context_(context), parents_(context.plan, record) {}

  Admission operator()(InstanceId id) {
    if (parents_.all_committed(id)) return {};
    if (!whole_) whole_ = context_.whole_journal();
    switch (standing(context_.plan, id, *whole_)) {
      case Standing::may_run:
        return {};
      case Standing::skipped:
        return {Admission::What::skip, "its parents were skipped"};
      case Standing::blocked:
        return {Admission::What::fail, "a stage that it waits for has failed"};
      case Standing::unsettled:
        break;
    }
    return {Admission::What::fail, why_unsettled(context_.plan, id, *whole_)};
  }

 private:
  const ElementContext& context_;
  ParentRecords parents_;
  std::optional<RunRecord> whole_;
};

/// What the job's time limit has kept from running, or from its end, has failed by it.
void journal_time_limit(const ElementContext& context, JournalWriter& journal,
                        const std::vector<PackedInstance>& left) {
  const std::string& stage = context.plan.stage(context.array.plan.stage).name;
  const std::string job = context.batch.job.name();
  std::vector<Record> records;
  std::vector<InstanceId> ids;
  for (const PackedInstance& instance : left) {
    const unsigned number = instance.attempt - 1;  // that it had, or would have had, in this start
    const std::string message = fmt::format(
        "its job {} reached its time limit before it {}: more time, or fewer instances in a job (pack)", job,
        instance.started_before ? "had ended" : "could begin");
    records.push_back(
        to_record(events::Failed{{stage, instance.index, number}, {Cause::timeout, {}, 0, message}}));
    ids.push_back({context.array.plan.stage, instance.index});
  }
  journal.append_all(records);
  draw_consequences(context, journal, ids, true);
}

/// Whether a pack that was stopped goes on in the next start of its job: by itself when the batch system has
/// put it back, else when it was its time that ran out, and it had come further.
bool goes_on(const ElementContext& context, const StopRequests& stop, bool got_further) {
  OwnJob& job = context.batch.job;
  if (stop.told_to_end() || !stop.time_is_short()) return true;
  if (got_further && job.requeue(context.requeue)) return true;
  fmt::print(
      stderr, "kernmill-exec: the time of {} is over{}\n", job.name(),
      got_further
          ? ""
          : ", and none of its instances has ended or left a checkpoint in it; give it more, or pack fewer");
  return false;
}

}  // namespace

int run_pack_element(const ElementContext& context, JournalWriter& journal, StopRequests& stop) {
  const std::vector<InstanceId> ids = ids_of(context);
  const RunRecord record = read_until_settled(context, ids);
  const std::uint32_t element = context.batch.place.element;
  PackOptions options{context.run, context.plan, context.array.plan,
                      left_to_run(context.plan, context.array.plan, element, context.attempt(), record),
                      context.batch.job.name()};
  options.restart = context.batch.place.restart;
  options.journal_name = journal_name(context.batch.job.name(), context.array.generation);
  options.attempt = context.attempt();
  if (!context.launcher.empty()) options.launcher = context.launcher;
  options.token = attempt_token(context.run, context.plan.stage(context.array.plan.stage).name,
                                ids.front().index, context.attempt());
  options.node = context.batch.place.node;
  options.no_cache = context.no_cache;
  options.mem = context.batch.place.memory();
  options.time_left = [&job = context.batch.job] { return job.time_left(); };
  if (runs_command(context.plan.stage(context.array.plan.stage)))
    options.end = context.batch.job.end_of_time(context.environment);
  bool has_new_checkpoint = false;
  options.new_checkpoint = [&] { has_new_checkpoint = true; };
  options.admit = Gatekeeper(context, record);
  const std::size_t before = options.instances.size();
  const int status = run_pack(options, commits_in(context.plan, record), journal, stop);

  const RunRecord after = context.journal_of(own_files(context, ids));
  std::vector<InstanceId> settled;
  bool has_failures = false;
  for (const PackedInstance& instance : options.instances) {
    const InstanceId id{context.array.plan.stage, instance.index};
    const InstanceRecord* own = after.find(context.plan.stage(id.stage).name, id.index);
    if (own == nullptr || !has_settled(*own)) continue;
    settled.push_back(id);
    has_failures = has_failures || has_failed(*own);
  }
  draw_consequences(context, journal, settled, has_failures);
  if (status == exit_done) return exit_done;
  const auto left = left_to_run(context.plan, context.array.plan, element, context.attempt() + 1, after);
  if (goes_on(context, stop, left.size() < before || has_new_checkpoint)) return exit_stopped;
  journal_time_limit(context, journal, left);
  return exit_done;  // all have been dealt with, as others that have failed
}

}  // namespace kernmill::exec
