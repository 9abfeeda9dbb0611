#include "kernmill/cli/runs/inspect.hpp"

#include <limits>

#include <fmt/format.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/exec/attempt/metrics_file.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/report/training_progress.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/submit/cluster_view.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::cli {
namespace {

/// The journal has the message; error.json knows the place and the way out, too.
void add_error_file(InstanceStatus& instance) {
  if (instance.state != State::failed) return;
  const std::filesystem::path file = std::filesystem::path(instance.directory) / "error.json";
  if (!std::filesystem::exists(file)) return;
  const Json error = json_or_nothing(read_file(file));
  if (!error.is_object()) return;
  const std::string where = text_in(error, "where");
  if (!where.empty() && instance.message.find(where) == std::string::npos)
    instance.message = where + ": " + instance.message;
  const std::string help = text_in(error, "help");
  if (instance.message.find(help) == std::string::npos) instance.help = help;
}

/// What a command or a training that still runs has written of its metrics so far. Of many, the first are
/// looked at.
class RunningMetrics {
 public:
  void add_to(InstanceStatus& instance, TaskKind kind) {
    constexpr int most = 200;
    if (instance.state != State::running || instance.directory.empty() || looks_ == most) return;
    ++looks_;
    if (kind == TaskKind::train) {
      instance.progress = read_training_progress(instance.directory, utc_timestamp());
      instance.metrics = metrics_of_progress(instance.progress);
      return;
    }
    exec::Metrics metrics =
        exec::read_last_metrics(std::filesystem::path(instance.directory) / exec::metrics_file);
    if (!metrics.last.empty()) instance.metrics = std::move(metrics.last);
  }

 private:
  int looks_ = 0;
};

StatusOptions options_of(Depth depth) {
  StatusOptions options{.now = utc_timestamp(), .everything = true};
  if (depth == Depth::summary) options.large_stage = 100;
  if (depth == Depth::results) options.large_stage = 1'000;
  if (depth == Depth::results) options.first_of_large = 100;
  return options;
}

/// What the journal says, in either of its forms.
struct Known {
  const RunRecord& record;
  const PlainCommits* plain = nullptr;
};

/// Of a run that jobs carry on.
RunStatus inspect_on_cluster(const RunDirectory& run, const Plan& plan, const Known& known,
                             StatusOptions options, Asking asking) {
  const RunRecord& record = known.record;
  options.alive = record.outcome.empty();
  std::optional<ClusterView> view;
  std::string note;
  // What has ended cannot have a job: nobody needs to be asked then.
  if (asking == Asking::cluster && record.outcome.empty()) try {
      view.emplace(run, plan, record, open_slurm()->jobs());
      options.alive = view->any() || lock_holder(run.lock());  // somebody submits just now
      options.queue = [&view](InstanceId id) { return view->find(id); };
    } catch (const ClusterError& error) {
      note = fmt::format("from the journal alone: {}", error.what());
    }
  RunStatus status = run_status(run, plan, record, options, known.plain);
  status.note = note;
  if (view && !view->held().empty()) {
    status.note = fmt::format("{} held ({}); kernmill resume {} releases what may be released",
                              view->held().size() == 1 ? "a job is" : "jobs are",
                              view->held().begin()->second, run.name());
    status.waits_for_held = view->only_waits_for_held();
  }
  if (view && status.state == "running" && !view->any_running()) status.state = "queued";
  return status;
}

RunStatus inspect(const RunDirectory& run, const Plan& plan, const Known& known, StatusOptions options,
                  Asking asking) {
  RunningMetrics running;
  if (options.tell)
    options.tell = [&running, tell = std::move(options.tell)](const RunStatus& status,
                                                              InstanceStatus instance) {
      add_error_file(instance);
      running.add_to(instance, status.stages[instance.id.stage].kind);
      tell(status, std::move(instance));
    };
  options.alive = lock_holder(run.lock()).has_value();
  RunStatus status = known.record.scheduler.empty()
                         ? run_status(run, plan, known.record, options, known.plain)
                         : inspect_on_cluster(run, plan, known, std::move(options), asking);
  for (InstanceStatus& instance : status.instances) {
    add_error_file(instance);
    StageStatus& stage = status.stages[instance.id.stage];
    running.add_to(instance, stage.kind);
    if (stage.instances != 1 || instance.state != State::running) continue;
    stage.metrics = instance.metrics;
    stage.progress = progress_text(instance.progress);
  }
  return status;
}

}  // namespace

RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, Depth depth,
                  Asking asking) {
  return inspect(run, plan, Known{record}, options_of(depth), asking);
}

RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunView& view, Depth depth,
                  Asking asking) {
  return inspect(run, plan, Known{view.record, &view.plain}, options_of(depth), asking);
}

RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunView& view, Telling telling,
                  const std::function<void(const RunStatus&, InstanceStatus)>& tell) {
  StatusOptions options = options_of(Depth::everything);
  options.reasons_only = telling == Telling::reasons;
  options.tell = tell;
  return inspect(run, plan, Known{view.record, &view.plain}, std::move(options), Asking::cluster);
}

RunStatus inspect(const RunDirectory& run, Depth depth, Asking asking) {
  if (const auto plan = plan_of(run)) {
    const RunView view = view_journal(run.journal(), {.rows = depth != Depth::summary});
    return inspect(run, *plan, view, depth, asking);
  }
  RunStatus status;
  status.name = run.name();
  status.directory = run.root().string();
  status.state = "preparing";
  return status;
}

}  // namespace kernmill::cli
