#include <algorithm>
#include <initializer_list>
#include <map>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/timestamp.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/inspect.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/rank_ends.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/bad_nodes/bad_nodes.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill::cli {
namespace {

/// Why each instance was started, by stage and instance, as its newest `submitted` record says.
using Reasons = std::map<std::pair<std::string, unsigned>, std::string>;

Reasons reasons_in(const RunDirectory& run) {
  namespace field = events::field;
  Reasons reasons;
  for (const auto& file : std::filesystem::directory_iterator(run.journal())) {
    if (!file.path().filename().string().ends_with(".conductor.jsonl")) continue;
    for (const Record& record : read_journal_file(file.path()))
      if (record.event == events::Submitted::name && record.body.contains(field::why) &&
          record.body.value(field::attempt, 1U) == 1)
        reasons[{record.body.at(field::stage), record.body.at(field::instance)}] = record.body.at(field::why);
  }
  return reasons;
}

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
  Explainer(const RunDirectory& run, const Plan& plan, const RunStatus& status)
      : plan_(plan), status_(status), reasons_(reasons_in(run)), ranks_(first_failed_ranks(run.journal())) {}

  [[nodiscard]] std::string why(const InstanceStatus& instance) const {
    switch (instance.state) {
      case State::finished:
        return instance.cached ? cached(instance) : "ran: " + reason(instance);
      case State::running:
        return "running: " + reason(instance);
      case State::failed:
        return fmt::format("{} after {}: {}{}{}", to_string(instance.cause),
                           counted(instance.attempts, "attempt"), printable(first_line(instance.message)),
                           place_of_stall(instance), rank_of(instance));
      case State::skipped:
        return skipped(instance);
      case State::blocked:
        return blocked(instance);
      case State::ready:
        return instance.interrupted ? "was interrupted; resume goes on with it" : "could start now";
      case State::waiting:
        return "waits for " + parents_of(plan_, instance.id.stage);
    }
    return {};
  }

 private:
  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

  /// The innermost functions of the first process that hung.
  static std::string place_of_stall(const InstanceStatus& instance) {
    const std::size_t end = instance.message.find('\n');
    if (instance.cause != Cause::stalled || end == std::string::npos) return "";
    return "; " + printable(first_line(instance.message.substr(end + 1)));
  }

  [[nodiscard]] std::string reason(const InstanceStatus& instance) const {
    const auto found = reasons_.find({plan_.stage(instance.id.stage).name, instance.id.index});
    std::string text = found == reasons_.end() ? "the cache was not asked" : found->second;
    if (instance.attempts > 1) text += fmt::format(" ({} attempts)", instance.attempts);
    return text;
  }
  [[nodiscard]] std::string rank_of(const InstanceStatus& instance) const {
    const auto found =
        ranks_.find({plan_.stage(instance.id.stage).name, instance.id.index, instance.attempts});
    return found == ranks_.end() ? "" : "; " + to_string(found->second);
  }
  static std::string cached(const InstanceStatus& instance) {
    // .../RUN/stages/STAGE/INSTANCE/attempt-N
    std::filesystem::path run = instance.cached_from;
    for (int up = 0; up < 4; ++up) run = run.parent_path();
    return "same task, configuration, inputs and program as in " + run.filename().string();
  }
  [[nodiscard]] std::string skipped(const InstanceStatus& instance) const {
    if (!instance.message.empty()) return printable(instance.message);
    return parents_in(plan_, status_, instance.id.stage, {State::skipped}) + " was skipped";
  }
  [[nodiscard]] std::string blocked(const InstanceStatus& instance) const {
    const std::string failed = parents_in(plan_, status_, instance.id.stage, {State::failed});
    if (!failed.empty()) return failed + " failed";
    const std::string behind = parents_in(plan_, status_, instance.id.stage, {State::blocked});
    return behind.empty() ? "its trials failed" : behind + " cannot run";
  }

  const Plan& plan_;
  const RunStatus& status_;
  Reasons reasons_;
  std::map<AttemptKey, RankEnd> ranks_;
};

std::string word(const InstanceStatus& instance) {
  if (instance.cached) return "cached";
  return instance.state == State::finished ? "done" : std::string(to_string(instance.state));
}

int explain(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  Arguments arguments(self, options, {"run", "stage"});
  if (!arguments.parse(words)) return exit_done;
  const RunDirectory run = chosen_run(arguments, arguments.text("run"));
  const Plan plan = require_plan(run);
  const RunRecord record = fold_journal(run.journal());
  const RunStatus status = inspect(run, plan, record, Depth::everything);
  const std::string stage = arguments.text("stage");
  if (!stage.empty() && status.stage(stage) == nullptr)
    throw UsageError(fmt::format("run {} has no stage '{}'", run.name(), stage));

  const Explainer explainer(run, plan, status);
  Json list = Json::array();
  TextTable table;
  for (const InstanceStatus& instance : status.instances) {
    if (!stage.empty() && plan.stage(instance.id.stage).name != stage) continue;
    const std::string why = explainer.why(instance);
    list.push_back({{"label", instance.label}, {"state", word(instance)}, {"why", why}});
    table.row({instance.label, word(instance), why});
  }
  const auto avoided =
      bad_nodes(node_attempts(record), plan.workflow().bad_nodes, std::chrono::system_clock::now());
  if (arguments.json()) {
    Json json{{"schema_version", 1}, {"run", run.name()}, {"instances", std::move(list)}};
    for (const BadNode& bad : avoided)
      json["avoided_nodes"].push_back(
          {{"node", bad.node}, {"until", utc_timestamp(bad.until)}, {"why", bad.why}});
    fmt::print("{}\n", json.dump(2));
  } else {
    fmt::print("{}", table.text());
    for (const BadNode& bad : avoided) fmt::print("the next attempts avoid {}\n", to_text(bad));
  }
  return exit_done;
}

}  // namespace

const Command explain_command{"explain", "why each instance ran, was cached or skipped, or waits",
                              "[RUN] [STAGE] [options]",
                              "  kernmill explain last\n"
                              "  kernmill explain last search\n",
                              explain};

}  // namespace kernmill::cli
