#include "kernmill/cli/runs/going_on.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/plan/decisions.hpp"
#include "kernmill/run/cache/declared_inputs.hpp"
#include "kernmill/run/cache/lost_results.hpp"
#include "kernmill/run/change/plan_changes.hpp"
#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/run/code/code_snapshot.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/submit/generation.hpp"
#include "kernmill/run/submit/settling.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"
#include "kernmill/workflow/parse/overrides.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

void say_if_edited(const RunDirectory& run, const Workflow& workflow) {
  const fs::path file = fs::path(workflow.base_directory) / fs::path(workflow.file).filename();
  std::error_code none;
  if (!fs::is_regular_file(file, none) || !fs::is_regular_file(run.workflow(), none)) return;
  if (read_file(file) == read_file(run.workflow())) return;
  fmt::print(
      stderr,
      "{} has changed since this run was made; the run goes on with its own copy; --with {} takes the new "
      "one\n",
      file.string(), file.string());
}

class Changes {
 public:
  Changes(const RunDirectory& run, Plan plan, const RunView& view, bool on_cluster,
          const Arguments& arguments)
      : run_(run),
        plan_(std::move(plan)),
        view_(view),
        on_cluster_(on_cluster),
        arguments_(arguments),
        digests_(run.root().parent_path()) {}

  GoingOn make() {
    if (!arguments_.has("with")) say_if_edited(run_, plan_.workflow());
    Workflow workflow = plan_.workflow();
    if (wants_changes()) record_ = fold_journal(run_.journal());
    if (arguments_.has("with") && !take_edited(workflow)) return end(exit_usage);
    if (!arguments_.has("with") && arguments_.has("set") && !take_resources(workflow)) return end(exit_usage);
    const bool asks_for_code =
        arguments_.has("with-code") || (arguments_.has("with") && is_other_code(workflow));
    const bool replaces = changed_ || asks_for_code;
    if (arguments_.has("with-code") && !workflow.snapshot.on())
      throw UsageError("--with-code: the workflow has no snapshot",
                       "snapshot: git, or snapshot: [train.py, src/]");
    look_at_inputs();
    if (arguments_.has("dry-run")) return show_and_end();
    if (!replaces && redo_.empty()) return {std::move(plan_), nullptr, false};
    if (replaces && on_cluster_) refuse_with_jobs_in_queue();
    if (replaces && on_cluster_ && !fits_cluster(workflow)) return end(exit_usage);
    auto lock = std::make_unique<ConductorLock>(
        run_.lock(), self_identity(),
        on_cluster_ ? ConductorLock::Purpose::settle : ConductorLock::Purpose::conduct);
    refuse_if_it_has_gone_on();
    if (asks_for_code) take_code_again(workflow);
    return apply(std::move(workflow), replaces, std::move(lock));
  }

 private:
  [[nodiscard]] bool wants_changes() const {
    for (const char* option : {"with", "set", "with-code", "rerun-changed"})
      if (arguments_.has(option)) return true;
    return false;
  }

  /// What was decided before the lock was held is true only of the run as it was then.
  void refuse_if_it_has_gone_on() const {
    const RunRecord now = fold_journal(run_.journal());
    const auto committed = [](const RunRecord& record) {
      return std::count_if(record.instances.begin(), record.instances.end(),
                           [](const auto& one) { return one.second.committed; });
    };
    if (now.life == record_.life && committed(now) == committed(record_) &&
        read_file(newest_plan(run_)) == plan_text_)
      return;
    throw std::runtime_error(fmt::format("run {} has gone on meanwhile; resume it again", run_.name()));
  }

  GoingOn end(int status) { return {std::move(plan_), nullptr, false, status}; }

  bool show(Diagnostics& diagnostics) const {
    if (!diagnostics.all().empty())
      fmt::print(stderr, "{}", render(diagnostics, arguments_.err_paint().on()));
    return !diagnostics.has_errors();
  }

  bool take_resources(Workflow& workflow) {
    Diagnostics diagnostics;
    set_resources(workflow, setters(arguments_.texts("set")), diagnostics);
    if (!show(diagnostics)) return false;
    for (const std::string& text : arguments_.texts("set")) workflow.set.push_back(text);
    told_.push_back(fmt::format("resources: {}", fmt::join(arguments_.texts("set"), ", ")));
    changed_ = true;
    return true;
  }

  bool take_edited(Workflow& workflow) {
    auto edited = load_workflow(arguments_, arguments_.text("with"));
    if (!edited) return false;
    keep_code(workflow.snapshot, edited->snapshot);
    PlanChanges changes = plan_changes(plan_, with_decisions_of(plan_, std::move(*edited)), record_);
    if (!changes.refusals.empty())
      throw UsageError(fmt::format("run {} cannot go on with {}: {}", run_.name(), arguments_.text("with"),
                                   fmt::join(changes.refusals, "\n")),
                       "kernmill run starts a new one");
    changed_ = !changes.told.empty() || changes.workflow.text != read_file(run_.workflow());
    workflow = std::move(changes.workflow);
    for (auto& [of, why] : changes.redo) redo_.emplace(of, std::move(why));
    told_ = std::move(changes.told);
    changed_stages_ = std::move(changes.changed_stages);
    if (told_.empty()) told_.emplace_back("nothing that decides what is run");
    return true;
  }

  /// The run goes on with the copy that it has, unless another one is asked for.
  static void keep_code(const Snapshot& have, Snapshot& edited) {
    if (have.on() && edited.git == have.git && edited.paths == have.paths) edited = have;
  }
  static bool is_other_code(const Workflow& workflow) {
    return workflow.snapshot.on() && workflow.snapshot.copy.empty();
  }

  void take_code_again(Workflow& workflow) {
    const std::string before = workflow.snapshot.digest;
    take_code(run_, workflow, digests_);
    told_.push_back(fmt::format("the code: {}, in {}{}", code_text(workflow.snapshot), workflow.snapshot.copy,
                                before == workflow.snapshot.digest ? " (as it was)" : ""));
  }

  /// What finished instances have read, and is something else now.
  void look_at_inputs() {
    const auto changed = inputs_changed_behind(run_, plan_, view_, digests_);
    const bool reruns = arguments_.has("rerun-changed");
    for (const ChangedInput& input : changed) {
      const std::string name = display_path(input.path, plan_.workflow());
      if (!reruns)
        fmt::print(stderr, "warning: {} has changed since {} read it\n", name,
                   labels_text(plan_, input.readers));
      else
        for (const InstanceId id : input.readers)
          redo_.try_emplace({plan_.stage(id.stage).name, id.index}, fmt::format("{} has changed", name));
    }
    if (!changed.empty() && !reruns)
      fmt::print(
          stderr,
          "what they left stays as it is; kernmill resume {} --rerun-changed runs them again, and what "
          "depends on them\n",
          run_.name());
    if (changed.empty() && reruns)
      fmt::print(stderr, "nothing has changed of the files that finished instances have read\n");
  }

  GoingOn show_and_end() {
    for (const std::string& line : told_) fmt::print(stderr, "  {}\n", line);
    if (told_.empty() && redo_.empty()) fmt::print(stderr, "nothing changes\n");
    for (const auto& [of, why] : redo_)
      fmt::print(stderr, "  {} runs again: {}\n", plan_.label({plan_.stage_number(of.first), of.second}),
                 why);
    fmt::print(stderr, "nothing was done; without --dry-run the run goes on like this\n");
    return end(exit_done);
  }

  void refuse_with_jobs_in_queue() const {
    if (!was_submitted(run_, record_) || live_jobs(run_, open_slurm()->jobs()).empty()) return;
    throw UsageError(
        fmt::format("jobs of {} are in the queue or running, and were submitted as the run was", run_.name()),
        fmt::format("kernmill cancel {0}, then resume it with the changes; what has finished stays",
                    run_.name()));
  }

  bool fits_cluster(const Workflow& workflow) const {
    Diagnostics findings;
    check_against(Plan(workflow), open_slurm()->facts(), findings);
    findings.sort();
    return show(findings);
  }

  /// Results are given up before the plan is replaced: a process that dies in between has them made again by
  /// the old plan, and none of them is ever taken for one of the new.
  GoingOn apply(Workflow workflow, bool replaces, std::unique_ptr<ConductorLock> lock) {
    const std::string text = workflow.text;
    Plan plan(std::move(workflow));
    std::map<InstanceId, std::string> redo;
    for (const auto& [of, why] : redo_)
      if (plan.workflow().find(of.first) != nullptr) redo[{plan.stage_number(of.first), of.second}] = why;
    const auto lost = results_to_redo(plan, record_, redo);
    for (const std::string& line : told_) fmt::print(stderr, "  {}\n", line);
    for (const std::string& line : to_lines(lost, plan)) fmt::print(stderr, "  {}\n", line);
    say_what_stays_skipped(plan, redo);
    const ProcessIdentity self = self_identity();
    if (!lost.empty()) {
      JournalWriter journal(run_.journal(), fmt::format("change-{}-{}", self.pid, self.start_time), 0,
                            "conductor");
      give_up_results(lost, journal);
    }
    if (replaces) replace_plan(plan, text);
    return {std::move(plan), std::move(lock), true};
  }

  /// A decision that was made by what is made again now.
  void say_what_stays_skipped(const Plan& plan, const std::map<InstanceId, std::string>& redo) const {
    for (const auto& [key, instance] : record_.instances) {
      if (!instance.skipped || plan.workflow().find(key.first) == nullptr) continue;
      const InstanceId id{plan.stage_number(key.first), key.second};
      const bool touched = std::any_of(redo.begin(), redo.end(), [&](const auto& one) {
        const auto& parents = plan.parents(id.stage);
        return std::any_of(parents.begin(), parents.end(),
                           [&](const Edge& edge) { return edge.stage == one.first.stage; });
      });
      if (touched)
        fmt::print(stderr, "  {} stays skipped; a new run (kernmill run) decides that again\n",
                   plan.label(id));
    }
  }

  void replace_plan(const Plan& plan, const std::string& text) {
    for (const std::string& stage : changed_stages_) forget_inputs(run_, stage);
    note_inputs(run_, plan, digests_);
    const bool is_edited = !text.empty() && arguments_.has("with");
    if (is_edited) {
      const std::string earlier = fmt::format("workflow-{}.yaml", number_of_newest_plan(run_));
      write_file_durably(run_.root() / earlier, read_file(run_.workflow()));
    }
    write_next_plan(run_, plan);
    if (is_edited) write_file_durably(run_.workflow(), text);
  }

  const RunDirectory& run_;
  Plan plan_;
  const RunView& view_;
  RunRecord record_;  ///< the whole journal, where something is to be changed
  bool on_cluster_;
  const Arguments& arguments_;
  DigestStore digests_;
  std::string plan_text_ = read_file(newest_plan(run_));
  bool changed_ = false;
  std::map<std::pair<std::string, unsigned>, std::string> redo_;  ///< by stage and instance; and why
  std::vector<std::string> told_, changed_stages_;
};

}  // namespace

void add_change_options(boost::program_options::options_description& options) {
  add_texts(options, "set", "NAME=VALUE",
            "other resources for all stages (time=10) or for one (fit.mem=8G); with --with, as for run");
  add_text(options, "with", "FILE", "go on with this workflow, an edited one; says what changes");
  add_text(options, "profile,p", "NAME", "with --with: defaults from ~/.config/kernmill/profiles/NAME.yaml");
  add_flag(options, "with-code", "take a fresh copy of the code that `snapshot` names");
  add_flag(options, "rerun-changed", "run again what has read files that have changed since");
  add_flag(options, "dry-run,n", "say what would change, and do nothing");
}

GoingOn going_on(const RunDirectory& run, Plan plan, const RunView& view, bool on_cluster,
                 const Arguments& arguments) {
  return Changes(run, std::move(plan), view, on_cluster, arguments).make();
}

}  // namespace kernmill::cli
