#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/inspect.hpp"
#include "kernmill/cli/runs/instance_selector.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/cli/runs/stored_history.hpp"
#include "kernmill/report/results_table.hpp"
#include "kernmill/run/journal/run_view.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill::cli {
namespace {

struct StageResults {
  std::string stage;
  ResultsTable table;
  std::string first_warning = {};
  std::size_t warnings = 0;

  void warn(const InstanceStatus& instance) {
    if (warnings++ == 0)
      first_warning = fmt::format("{}: {}", instance.label, printable_line(instance.warning));
  }
};

std::vector<std::string> names_of(const std::vector<StageResults>& all) {
  std::vector<std::string> names;
  names.reserve(all.size());
  for (const StageResults& one : all) names.push_back(one.stage);
  return names;
}

/// The stages whose results are wanted: the named one, or all that ran. The reduce of a search is none of its
/// trials.
std::vector<StageResults> results_of(const RunDirectory& run, const Plan& plan, const std::string& stage) {
  std::vector<StageResults> all;
  for (std::uint32_t number = 0; number < plan.stage_count(); ++number)
    all.push_back({plan.stage(number).name, {}});
  if (!stage.empty() && plan.workflow().find(stage) == nullptr) {
    const std::string meant = did_you_mean(stage, names_of(all));
    throw UsageError(fmt::format("run {} has no stage '{}'", run.name(), stage),
                     meant.empty() ? fmt::format("it has {}", fmt::join(names_of(all), ", ")) : meant);
  }
  inspect(run, plan, view_journal(run.journal()), Telling::all,
          [&](const RunStatus&, const InstanceStatus& instance) {
            const bool is_wanted = stage.empty() || all[instance.id.stage].stage == stage;
            if (!is_wanted || plan.is_reduce(instance.id)) return;
            all[instance.id.stage].table.add(instance);
            if (!instance.warning.empty()) all[instance.id.stage].warn(instance);
          });
  std::erase_if(all, [](const StageResults& one) { return one.table.size() == 0; });
  return all;
}

/// A table of one stage is wanted: that with several instances, if there is one alone.
StageResults the_one(std::vector<StageResults> all, const std::string& why) {
  const auto has_several = [](const StageResults& one) { return one.table.size() > 1; };
  if (all.size() > 1 && std::count_if(all.begin(), all.end(), has_several) == 1)
    return *std::find_if(all.begin(), all.end(), has_several);
  if (all.size() == 1) return all.front();
  throw UsageError(fmt::format("{} is for the table of one stage", why),
                   fmt::format("name one: {}", fmt::join(names_of(all), ", ")));
}

/// "acc", "-acc": largest first; "+loss": smallest first.
void sort(StageResults& results, std::string column) {
  const bool smallest_first = column.starts_with('+');
  if (smallest_first || column.starts_with('-')) column.erase(0, 1);
  const auto order =
      smallest_first ? ResultsTable::Order::smallest_first : ResultsTable::Order::largest_first;
  if (results.table.sort(column, order)) return;
  const std::string meant = did_you_mean(column, results.table.columns());
  throw UsageError(
      fmt::format("stage {} has no column '{}'", results.stage, column),
      meant.empty() ? fmt::format("it has {}", fmt::join(results.table.columns(), ", ")) : meant);
}

int show_history(const RunDirectory& run, const Plan& plan, const Arguments& arguments) {
  const std::string selector = arguments.text("stage");
  const MetricHistory history = stored_history(run, plan, selector);
  if (arguments.json()) {
    const Json json{{"schema_version", 1},
                    {"run", run.name()},
                    {"stage", stage_in(selector)},
                    {"instances", history.json()}};
    fmt::print("{}\n", json.dump(2));
  } else if (history.empty()) {
    fmt::print(stderr,
               "{} has written no history: a command writes lines such as `step=100 loss=0.3` to "
               "$KERNMILL_METRICS\n",
               selector);
  } else {
    fmt::print("{}", arguments.has("csv") ? history.csv() : history.text());
  }
  return exit_done;
}

void show(const RunDirectory& run, const std::vector<StageResults>& all, const Arguments& arguments) {
  for (const StageResults& one : all)
    if (one.warnings > 0)
      fmt::print(stderr, "warning: {}{}\n", one.first_warning,
                 one.warnings == 1 ? "" : fmt::format(" (and {} more of {})", one.warnings - 1, one.stage));
  if (arguments.json()) {
    Json stages = Json::array();
    for (const StageResults& one : all)
      stages.push_back({{"name", one.stage}, {"instances", one.table.json()}});
    fmt::print("{}\n",
               Json{{"schema_version", 1}, {"run", run.name()}, {"stages", std::move(stages)}}.dump(2));
  } else if (arguments.has("csv")) {
    fmt::print("{}", all.front().table.csv());
  } else {
    for (const StageResults& one : all)
      fmt::print("{}{}\n{}", &one == &all.front() ? "" : "\n", one.stage, one.table.text());
  }
}

int results(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_text(options, "sort", "COLUMN", "largest first; +COLUMN: smallest first");
  add_flag(options, "history", "how the metrics of a stage went on: a row for each step that was written");
  add_number(options, "top", "N", "the first N rows alone");
  add_flag(options, "csv", "as CSV, numbers in full");
  Arguments arguments(self, options, {"run", "stage"});
  if (!arguments.parse(words)) return exit_done;
  const auto top = arguments.number("top");
  if (top && *top < 1) throw UsageError("--top takes a number of rows, 1 or more");
  if (arguments.json() && arguments.has("csv")) throw UsageError("--json and --csv exclude each other");

  const RunDirectory run = chosen_run(arguments, arguments.text("run"));
  const Plan plan = require_plan(run);
  if (arguments.has("history") && arguments.text("stage").empty())
    throw UsageError("--history needs a stage", "kernmill results last STAGE --history");
  if (arguments.has("history")) return show_history(run, plan, arguments);
  std::vector<StageResults> all = results_of(run, plan, arguments.text("stage"));
  for (const char* option : {"sort", "csv"})
    if (arguments.has(option)) all = {the_one(std::move(all), fmt::format("--{}", option))};
  if (arguments.has("sort")) sort(all.front(), arguments.text("sort"));
  if (top)
    for (StageResults& one : all) one.table.keep_first(static_cast<std::size_t>(*top));
  show(run, all, arguments);
  return exit_done;
}

}  // namespace

const Command results_command{"results",
                              "a table of results: values, metrics and state, a row for each instance",
                              "[RUN] [STAGE] [options]",
                              "  kernmill results\n"
                              "  kernmill results last search --sort value --top 10\n"
                              "  kernmill results last train --sort +loss --csv > results.csv\n"
                              "  kernmill results last train.3 --history\n",
                              results};

}  // namespace kernmill::cli
