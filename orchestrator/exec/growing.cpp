#include "kernmill/exec/growing.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "kernmill/base/backoff.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/attempt_runner.hpp"
#include "kernmill/exec/job/batch_place.hpp"
#include "kernmill/plan/decisions.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/submit/cancellation.hpp"
#include "kernmill/run/submit/missing_jobs.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

void sleep(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time);
}

/// Those of these names that this job has been given.
Variables variables_named(const Json& names) {
  const Environment own = own_environment();
  Variables variables;
  for (const Json& name : names)
    if (name.is_string())
      variables.emplace_back(name.get<std::string>(), value_of(own, name.get<std::string>()));
  return variables;
}

class Going {
 public:
  Going(const RunDirectory& run, unsigned generation, OwnJob& job, const JournalWriter::Hook& hook)
      : run_(run), generation_(generation), job_(job), hook_(hook) {
    names_ = json_or_nothing(value_of(own_environment(), growth_variable));
    if (!names_.is_object()) names_ = Json::object();
  }

  /// Whether something was submitted.
  bool on() {
    const Plan plan = read_plan_file(run_).plan;
    const RunRecord record = fold_journal(run_.journal());
    const auto own = record.generations.find(generation_);
    MissingJobsOptions options = how_to_submit();
    if (own != record.generations.end()) {
      options.submission.fail_fast = own->second.fail_fast;
      options.no_cache = own->second.no_cache;
    }
    return submit_missing(run_, plan, job_.cluster(), job_.cluster().facts(), options, lock()).has_value();
  }

 private:
  MissingJobsOptions how_to_submit() {
    const Environment own = own_environment();
    return {.resumed = true,
            .exec = std::filesystem::read_symlink("/proc/self/exe"),
            .env = variables_named(names_.value("jobs", Json::array())),
            .handed_over =
                [this](const Stage& stage) {
                  const Json stages = names_.value("stages", Json::object());
                  return variables_named(stages.value(stage.name, Json::array()));
                },
            .submission = {.release_from = generation_ + 1, .pause = sleep},
            .bad_nodes = {.folder = bad_nodes_folder(value_of(own, "XDG_STATE_HOME"), value_of(own, "HOME"))},
            .hook = hook_,
            // What earlier runs have made is taken by each job itself.
            .take_ready_results = [](const Plan&, const RunRecord& record, JournalWriter&) { return record; },
            .tell = [](const std::string& line) { fmt::print("{}\n", line); },
            .own_job = job_.name(),
            .growing = true};
  }

  /// Others who submit for the run, or look after it, do so for moments.
  std::unique_ptr<ConductorLock> lock() const {
    using std::chrono::milliseconds;
    Backoff backoff({milliseconds(250), milliseconds(5'000), std::chrono::minutes(8)});
    for (;;) try {
        return std::make_unique<ConductorLock>(run_.lock(), self_identity(), ConductorLock::Purpose::settle);
      } catch (const RunIsLocked&) {
        const auto pause = backoff.pause();
        if (!pause || is_cancel_wished(run_)) throw;
        sleep(*pause);
      }
  }

  const RunDirectory& run_;
  unsigned generation_;
  OwnJob& job_;
  const JournalWriter::Hook& hook_;
  Json names_;
};

/// Whether what the stage has committed can be read here: a network file system shows files late.
bool has_committed(const RunDirectory& run, const Plan& plan, const std::string& stage) {
  const RetryBudget late_files{
      std::chrono::seconds(number_of(own_environment(), "KERNMILL_FILE_PATIENCE", 10)), sleep};
  const std::uint32_t number = plan.stage_number(stage);
  const std::uint32_t index = plan.instance_count(number) - 1;
  return late_files.until(
      [&] {
        const RunRecord record = fold_journal(run.journal());
        const InstanceRecord* known = record.find(stage, index);
        return known != nullptr && known->committed;
      },
      [](bool committed) { return committed; });
}

}  // namespace

int go_on_behind(const Options& options, const RunDirectory& run, const JournalWriter::Hook& hook,
                 const ClusterFactory& open_cluster) {
  const Plan plan = read_plan_file(run).plan;
  if (plan.workflow().find(options.decider) == nullptr)
    throw std::invalid_argument(fmt::format("the plan has no stage '{}'", options.decider));
  if (!has_committed(run, plan, options.decider)) {
    fmt::print("{} has committed nothing: nothing is decided\n", options.decider);
    return exit_done;
  }
  OwnJob job(open_cluster, batch_place(own_environment()).name());
  const bool submitted = Going(run, options.generation, job, hook).on();
  fmt::print("{}\n", submitted ? "submitted what was decided" : "there was nothing to submit");
  return exit_done;
}

bool goes_on(const RunDirectory& run, unsigned generation, OwnJob& job, const JournalWriter::Hook& hook) {
  const Plan plan = read_plan_file(run).plan;
  const auto is_later = [](const Stage& stage) { return !stage.matrix.later.empty(); };
  const auto& stages = plan.workflow().stages;
  if (std::none_of(stages.begin(), stages.end(), is_later) || is_cancel_wished(run)) return false;
  return Going(run, generation, job, hook).on();
}

}  // namespace kernmill::exec
