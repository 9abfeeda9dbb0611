#include "kernmill/cli/runs/inspect.hpp"

#include <limits>

#include <fmt/format.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/submit/cluster_view.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

/// The journal has the message; error.json knows the place and the way out, too.
void add_error_file(InstanceStatus& instance) {
  const std::filesystem::path file = std::filesystem::path(instance.directory) / "error.json";
  if (instance.state != State::failed || !std::filesystem::exists(file)) return;
  const Json error = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!error.is_object()) return;
  const std::string where = error.value("where", "");
  if (!where.empty() && instance.message.find(where) == std::string::npos)
    instance.message = where + ": " + instance.message;
  const std::string help = error.value("help", "");
  if (instance.message.find(help) == std::string::npos) instance.help = help;
}

std::uint32_t large_stage(Depth depth) {
  return depth == Depth::summary ? 100 : std::numeric_limits<std::uint32_t>::max();
}

/// Of a run that jobs carry on.
RunStatus inspect_on_cluster(const RunDirectory& run, const Plan& plan, const RunRecord& record, Depth depth,
                             Asking asking) {
  StatusOptions options{.alive = record.outcome.empty(),
                        .now = utc_timestamp(),
                        .everything = depth != Depth::begun,
                        .large_stage = large_stage(depth)};
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
  RunStatus status = run_status(run, plan, record, options);
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

}  // namespace

RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, Depth depth,
                  Asking asking) {
  const bool alive = lock_holder(run.lock()).has_value();
  RunStatus status = record.scheduler.empty() ? run_status(run, plan, record,
                                                           {.alive = alive,
                                                            .now = utc_timestamp(),
                                                            .everything = depth != Depth::begun,
                                                            .large_stage = large_stage(depth)})
                                              : inspect_on_cluster(run, plan, record, depth, asking);
  for (InstanceStatus& instance : status.instances) add_error_file(instance);
  return status;
}

RunStatus inspect(const RunDirectory& run, Depth depth, Asking asking) {
  const auto plan = plan_of(run);
  if (plan) return inspect(run, *plan, fold_journal(run.journal()), depth, asking);
  RunStatus status;
  status.name = run.name();
  status.directory = run.root().string();
  status.state = "preparing";
  return status;
}

}  // namespace kernmill::cli
