#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/timestamp.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/commands/explain_environment.hpp"
#include "kernmill/cli/runs/inspect.hpp"
#include "kernmill/cli/runs/instance_selector.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/report/attempt_history.hpp"
#include "kernmill/report/failure_line.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/rank_ends.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/bad_nodes/bad_nodes.hpp"
#include "kernmill/run/code/code_snapshot.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::cli {
namespace {

std::string parents_of(const Plan& plan, std::uint32_t stage) {
  std::string names;
  for (const Edge& edge : plan.parents(stage))
    names += (names.empty() ? "" : ", ") + plan.stage(edge.stage).name;
  return names;
}

/// The parents of a stage that have an instance in one of these states.
std::string parents_in(const Plan& plan, const RunStatus& status, std::uint32_t stage,
                       std::initializer_list<State> states) {
  std::string names;
  for (const Edge& edge : plan.parents(stage)) {
    const StageStatus& parent = status.stages[edge.stage];
    const bool fits =
        std::any_of(states.begin(), states.end(), [&](State state) { return parent.of(state) > 0; });
    if (fits) names += (names.empty() ? "" : ", ") + parent.name;
  }
  return names;
}

class Explainer {
 public:
  Explainer(const RunDirectory& run, const Plan& plan)
      : plan_(plan), ranks_(first_failed_ranks(run.journal())) {}

  [[nodiscard]] const std::map<AttemptKey, RankEnd>& ranks() const { return ranks_; }

  /// `status` has the stages up to that of the instance.
  [[nodiscard]] std::string why(const RunStatus& status, const InstanceStatus& instance) const {
    std::string text = why_as_it_is(status, instance);
    if (!instance.warning.empty()) text += "; warning: " + printable_line(instance.warning);
    if (instance.made_again.empty()) return text;
    return fmt::format("{}; made again, since {}", text, printable(instance.made_again));
  }

 private:
  [[nodiscard]] std::string why_as_it_is(const RunStatus& status, const InstanceStatus& instance) const {
    switch (instance.state) {
      case State::finished:
        return instance.cached ? cached(instance) : "ran: " + reason(instance);
      case State::running:
        return "running: " + reason(instance);
      case State::failed:
        return fmt::format("{} after {}: {}{}{}", to_string(instance.cause),
                           counted(instance.attempts, "attempt"),
                           instance.cause == Cause::stalled ? printable(first_line(instance.message))
                                                            : failure_line(instance.message),
                           place_of_stall(instance), rank_of(instance));
      case State::skipped:
        return skipped(status, instance);
      case State::blocked:
        return blocked(status, instance);
      case State::ready:
        return instance.interrupted ? interrupted(instance) : "could start now";
      case State::waiting:
        return "waits for " + parents_of(plan_, instance.id.stage);
    }
    return {};
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  /// The innermost functions of the first process that hung.
  static std::string place_of_stall(const InstanceStatus& instance) {
    const std::size_t end = instance.message.find('\n');
    if (instance.cause != Cause::stalled || end == std::string::npos) return "";
    return "; " + printable(first_line(instance.message.substr(end + 1)));
  }

  static std::string reason(const InstanceStatus& instance) {
    std::string text = instance.why.empty() ? "earlier results were not looked through" : instance.why;
    if (instance.attempts > 1) text += fmt::format(" ({} attempts)", instance.attempts);
    return printable_line(text);
  }
  [[nodiscard]] std::string rank_of(const InstanceStatus& instance) const {
    const auto found =
        ranks_.find({plan_.stage(instance.id.stage).name, instance.id.index, instance.attempts});
    return found == ranks_.end() ? "" : "; " + to_string(found->second);
  }
  static std::string interrupted(const InstanceStatus& instance) {
    const std::string why = printable(first_line(instance.message));
    return why.empty() ? "was interrupted; resume goes on with it"
                       : fmt::format("was interrupted ({}); resume goes on with it", why);
  }

  static std::string cached(const InstanceStatus& instance) {
    // .../RUN/stages/STAGE/INSTANCE/attempt-N
    std::filesystem::path run = instance.cached_from;
    for (int up = 0; up < 4; ++up) run = run.parent_path();
    return "same task, configuration, inputs and program as in " + run.filename().string();
  }
  [[nodiscard]] std::string skipped(const RunStatus& status, const InstanceStatus& instance) const {
    if (!instance.message.empty()) return printable_line(instance.message);
    return parents_in(plan_, status, instance.id.stage, {State::skipped}) + " was skipped";
  }
  [[nodiscard]] std::string blocked(const RunStatus& status, const InstanceStatus& instance) const {
    const std::string failed = parents_in(plan_, status, instance.id.stage, {State::failed});
    if (!failed.empty()) return failed + " failed";
    const std::string behind = parents_in(plan_, status, instance.id.stage, {State::blocked});
    return behind.empty() ? "its trials failed" : behind + " cannot run";
  }

  const Plan& plan_;
  std::map<AttemptKey, RankEnd> ranks_;
};

std::string word(const InstanceStatus& instance) {
  if (instance.cached) return "cached";
  return instance.state == State::finished ? "done" : std::string(to_string(instance.state));
}

/// The instance whose attempts are told: the one that is named, or the only one of its stage.
std::optional<InstanceId> told_at_length(const Plan& plan, const std::string& selector) {
  if (selector.empty()) return {};
  const InstanceId id = chosen_instance(plan, selector);
  if (names_instance(selector) || plan.instance_count(id.stage) == 1) return id;
  return {};
}

/// How a task's tables have travelled, as its result.json says; nothing where it does not.
Json storage_of(const RunDirectory& run, const std::string& stage, unsigned index, unsigned attempt) {
  const std::filesystem::path file = run.attempt(stage, index, attempt) / "result.json";
  std::error_code none;
  if (!std::filesystem::is_regular_file(file, none)) return {};
  const Json result = json_or_nothing(read_file(file));
  const auto found = result.is_object() ? result.find("storage") : result.end();
  return result.is_object() && found != result.end() && found->is_object() ? *found : Json();
}

/// What explain says, in the form that was asked for.
class Explanation {
 public:
  Explanation(const RunDirectory& run, const Plan& plan, const std::string& selector, bool json)
      : run_(run),
        plan_(plan),
        is_json_(json),
        explainer_(run, plan),
        stage_(stage_in(selector)),
        at_length_(told_at_length(plan, selector)) {}

  void add(const RunStatus& status, const InstanceStatus& instance) {
    if (!stage_.empty() && plan_.stage(instance.id.stage).name != stage_) return;
    if (at_length_ && instance.id != *at_length_) return;
    std::string why = explainer_.why(status, instance);
    if (is_json_)
      list_.push_back({{"label", instance.label}, {"state", word(instance)}, {"why", std::move(why)}});
    else
      table_.row({instance.label, word(instance), std::move(why)});
    if (at_length_) help_ = instance.help;
  }

  /// Nothing is known of an instance that has not been started.
  void add_attempts(const RunView& view) {
    if (!at_length_) return;
    const auto known = view.find(plan_.stage(at_length_->stage).name, at_length_->index);
    if (!known || known->attempts.empty()) return;
    const AttemptHistory history(plan_, *at_length_, *known, explainer_.ranks());
    const Json storage = storage_of(run_, plan_.stage(at_length_->stage).name, at_length_->index,
                                    known->attempts.back().number);
    if (!is_json_) {
      attempts_ = history.text();
      if (storage.is_object())
        attempts_ += fmt::format("  storage: {}\n", printable_line(storage.value("reason", "?")));
    } else if (!list_.empty()) {
      list_.back()["attempts"] = history.json();
      if (storage.is_object()) list_.back()["storage"] = storage;
      if (!help_.empty()) list_.back()["help"] = help_;
    }
  }

  [[nodiscard]] Json json() && { return std::move(list_); }
  [[nodiscard]] std::string text() const {
    std::string text = table_.text() + attempts_;
    if (!help_.empty() && !attempts_.empty()) text += "  help: " + printable(help_) + "\n";
    return text;
  }

 private:
  const RunDirectory& run_;
  const Plan& plan_;
  bool is_json_;
  Explainer explainer_;
  std::string stage_;
  std::optional<InstanceId> at_length_;
  Json list_ = Json::array();
  TextTable table_;
  std::string attempts_, help_;
};

int explain(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_flag(options, "env", "what an instance (STAGE.3, or STAGE where it has one) found in its environment");
  Arguments arguments(self, options, {"run", "stage"});
  if (!arguments.parse(words)) return exit_done;
  const RunDirectory run = chosen_run(arguments, arguments.text("run"));
  const Plan plan = require_plan(run);
  if (arguments.has("env")) return explain_environment(run, plan, arguments);
  const std::string selector = arguments.text("stage");
  if (!selector.empty() && plan.workflow().find(stage_in(selector)) == nullptr)
    throw UsageError(fmt::format("run {} has no stage '{}'", run.name(), stage_in(selector)));

  Explanation explanation(run, plan, selector, arguments.json());
  const RunView view = view_journal(run.journal());
  inspect(run, plan, view, Telling::reasons, [&](const RunStatus& status, const InstanceStatus& instance) {
    explanation.add(status, instance);
  });
  explanation.add_attempts(view);
  const auto avoided =
      bad_nodes(node_attempts(view), plan.workflow().bad_nodes, std::chrono::system_clock::now());
  if (arguments.json()) {
    Json json{{"schema_version", 1}, {"run", run.name()}, {"instances", std::move(explanation).json()}};
    if (plan.workflow().snapshot.on()) json["code"] = code_json(plan.workflow().snapshot);
    for (const BadNode& bad : avoided)
      json["avoided_nodes"].push_back(
          {{"node", bad.node}, {"until", utc_timestamp(bad.until)}, {"why", bad.why}});
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("{}", explanation.text());
    if (const Snapshot& code = plan.workflow().snapshot; code.on())
      fmt::print("commands run the code in {} ({})\n", code.copy, code_text(code));
    for (const BadNode& bad : avoided) fmt::print("the next attempts avoid {}\n", to_text(bad));
  }
  return exit_done;
}

}  // namespace

const Command explain_command{"explain", "why each instance ran, was cached or skipped, or waits",
                              "[RUN] [STAGE[.INSTANCE]] [options]",
                              "  kernmill explain last\n"
                              "  kernmill explain last search\n"
                              "  kernmill explain last search.3       each of its attempts\n"
                              "  kernmill explain last search.3 --env\n",
                              explain};

}  // namespace kernmill::cli
