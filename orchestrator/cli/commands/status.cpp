#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/conduct.hpp"
#include "kernmill/cli/runs/inspect.hpp"
#include "kernmill/cli/runs/instance_selector.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/run_summary.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill::cli {
namespace {

std::string finished_text(const RunStatus& status) {
  std::uint64_t finished = 0, all = 0;
  for (const StageStatus& stage : status.stages) {
    finished += stage.of(State::finished);
    all += stage.instances;
  }
  return fmt::format("{}/{}", finished, all);
}

void show_all(const std::vector<RunDirectory>& runs, bool json) {
  Json list = Json::array();
  TextTable table({}, "");
  table.row({"RUN", "STATE", "DONE", "STARTED (UTC)", "TOOK"});
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const RunStatus status = inspect(*run, Depth::summary, Asking::nobody);
    if (json)
      list.push_back({{"run", status.name},
                      {"directory", status.directory},
                      {"state", status.state},
                      {"started_at", status.started_at},
                      {"seconds", status.took.count()}});
    else
      table.row({status.name, status.state, finished_text(status), time_text(status.started_at),
                 duration_text(status.took)});
  }
  if (json)
    fmt::print("{}\n", Json{{"schema_version", 1}, {"runs", std::move(list)}}.dump(2));
  else
    fmt::print("{}", table.text());
}

/// Instances that are open again since their results are lost.
void show_made_again(const RunStatus& status) {
  constexpr std::size_t shown = 5;
  std::vector<const InstanceStatus*> open;
  for (const InstanceStatus& instance : status.instances)
    if (!instance.made_again.empty() && instance.state != State::finished) open.push_back(&instance);
  if (!open.empty()) fmt::print("\n");
  for (std::size_t i = 0; i < std::min(open.size(), shown); ++i)
    fmt::print("  {} is made again: {}\n", open[i]->label, printable_line(open[i]->made_again));
  if (open.size() > shown) fmt::print("  and {} more\n", open.size() - shown);
}

/// Of the whole status what there is about one stage, for `status RUN STAGE`.
RunStatus about_stage(RunStatus status, std::uint32_t number) {
  std::erase_if(status.instances,
                [&](const InstanceStatus& instance) { return instance.id.stage != number; });
  for (std::uint32_t other = 0; other < status.stages.size(); ++other)
    if (other != number) status.stages[other].warnings = 0;
  return status;
}

void show_stage(RunStatus status, std::uint32_t number, const Arguments& arguments) {
  status = about_stage(std::move(status), number);
  add_result_files(status);
  const StageStatus stage = status.stages[number];
  if (arguments.json()) {
    status.stages = {stage};
    fmt::print("{}\n", to_json(status).dump(2));
    return;
  }
  RunStatus alone = status;
  alone.stages = {stage};
  const Paint paint = arguments.out_paint();
  fmt::print("{}", stages_text(alone, paint));
  for (const std::string& text :
       {failures_text(status, paint), warnings_text(status, paint), results_text(status, number)})
    if (!text.empty()) fmt::print("\n{}", text);
}

void show_one(const RunStatus& status, const Arguments& arguments) {
  if (arguments.json()) {
    fmt::print("{}\n", to_json(status).dump(2));
    return;
  }
  const Paint paint = arguments.out_paint();
  fmt::print("{}  {}{}  started {} UTC{}\n\n{}", paint(Color::bold, status.name), status.state,
             status.state == "running" && status.scheduler.empty()
                 ? fmt::format(" (process {} on {})", status.conductor.pid, status.conductor.host)
                 : "",
             time_text(status.started_at),
             status.took.count() > 0 ? ", took " + duration_text(status.took) : "",
             stages_text(status, paint));
  const std::string failures = failures_text(status, paint);
  if (!failures.empty()) fmt::print("\n{}", failures);
  if (const std::string warnings = warnings_text(status, paint); !warnings.empty())
    fmt::print("\n{}", warnings);
  const auto lost = std::count_if(status.instances.begin(), status.instances.end(),
                                  [](const InstanceStatus& instance) { return instance.lost; });
  if (lost > 0)
    fmt::print("\n  {} started, left no end record, and the scheduler does not know {} job any more: lost\n",
               lost, lost == 1 ? "its" : "their");
  show_made_again(status);
  if (!status.note.empty()) fmt::print("\n  {}\n", paint(Color::yellow, printable(status.note)));
  for (const std::string& line : status.other_inputs)
    fmt::print("\n  {}\n", paint(Color::yellow, printable_line(line)));
  fmt::print("\n  run   {}\n", status.directory);
  if (const std::string code = text_of_code(status.code); !code.empty()) fmt::print("  code  {}\n", code);
  if (status.state != "done" && status.state != "running" && status.state != "queued")
    fmt::print("  next  kernmill resume {}\n", status.name);
}

int status(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_flag(options, "all,a", "all runs, newest first");
  Arguments arguments(self, options, {"run", "stage"});
  if (!arguments.parse(words)) return exit_done;
  if (arguments.has("all")) {
    show_all(runs_found(arguments), arguments.json());
    return exit_done;
  }
  const RunDirectory run = chosen_run(arguments, arguments.text("run"));
  if (arguments.has("stage")) {
    const Plan plan = require_plan(run);
    const std::uint32_t number = chosen_instance(plan, stage_in(arguments.text("stage"))).stage;
    show_stage(inspect(run, arguments.json() ? Depth::everything : Depth::results), number, arguments);
    return exit_done;
  }
  show_one(inspect(run, arguments.json() ? Depth::everything : Depth::summary), arguments);
  return exit_done;
}

}  // namespace

const Command status_command{"status", "the state of a run, stage by stage",
                             "[RUN [STAGE] | --all] [options]",
                             "  kernmill status\n"
                             "  kernmill status last fit             its results so far, an instance a line\n"
                             "  kernmill status iris-svm-20261121-040506-1a2b --json\n"
                             "  kernmill status --all\n",
                             status};

}  // namespace kernmill::cli
