#include <algorithm>
#include <charconv>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/follow.hpp"
#include "kernmill/cli/runs/instance_selector.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/shown_streams.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/directory/slot_log.hpp"
#include "kernmill/run/journal/run_view.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

unsigned newest_attempt(const RunDirectory& run, const std::string& stage, unsigned index) {
  unsigned newest = 0;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run.instance(stage, index), none)) {
    const std::string name = entry.path().filename().string();
    unsigned number = 0;
    if (name.starts_with("attempt-")) std::from_chars(name.data() + 8, name.data() + name.size(), number);
    newest = std::max(newest, number);
  }
  return newest;
}

/// Whether nothing more will be written by this attempt.
bool has_ended(const RunDirectory& run, const std::string& stage, unsigned index, unsigned attempt) {
  const RunView view = view_journal(run.journal());
  const RunRecord& record = view.record;
  const bool alive = record.scheduler.empty() ? lock_holder(run.lock()).has_value() : record.outcome.empty();
  if (!alive) return true;
  const auto known = view.find(stage, index);
  if (!known) return false;
  return std::any_of(known->attempts.begin(), known->attempts.end(), [&](const AttemptRecord& one) {
    return one.number == attempt && one.state != AttemptState::open;
  });
}

void show(const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    std::error_code none;
    if (const auto size = fs::file_size(file, none); none || size == 0) continue;
    if (files.size() > 1) fmt::print(stderr, "==> {} <==\n", file.string());
    copy_from(file, 0, stdout);
  }
}

/// All logs of a run that are not empty.
void list(const RunDirectory& run, bool json) {
  Json files = Json::array();
  TextTable table({TextTable::Align::right, TextTable::Align::left});
  std::vector<fs::path> found;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(run.root() / "stages", none))
    if (entry.path().extension() == ".log" && entry.file_size() > 0) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  for (const fs::path& file : found) {
    files.push_back({{"file", file.string()}, {"bytes", fs::file_size(file)}});
    table.row({bytes_text(fs::file_size(file)), file.string()});
  }
  if (json)
    fmt::print("{}\n", Json{{"schema_version", 1}, {"run", run.name()}, {"logs", std::move(files)}}.dump(2));
  else
    fmt::print("{}", table.text());
}

void show_section(const fs::path& file, const std::string& title) {
  for_each_slot_line(file, [&](const std::string& of, const std::string& line) {
    if (of == title) fmt::print("{}\n", line);
  });
}

/// True when the instance was packed, and left no directory of its own.
bool show_packed(const Arguments& arguments, const RunDirectory& run, const Plan& plan, InstanceId id) {
  const std::string& stage = plan.stage(id.stage).name;
  const auto known = view_journal(run.journal()).find(stage, id.index);
  if (!known || known->attempts.empty() || known->attempts.back().slot.empty()) return false;
  const AttemptRecord& last = known->attempts.back();
  const fs::path slot = run.slot(stage, last.slot);
  if (arguments.json()) {
    const Json json{{"schema_version", 1},
                    {"run", run.name()},
                    {"instance", plan.label(id)},
                    {"attempt", last.number},
                    {"slot", slot.string()}};
    fmt::print("{}\n", json.dump(2));
    return true;
  }
  const std::string title = section_title(plan.label(id), last.number);
  if (!arguments.has("err")) show_section(slot / "out.log", title);
  if (!arguments.has("out")) show_section(slot / "err.log", title);
  return true;
}

/// A terminal gets what the program wrote with its colours, and without what would steer it; a file or pipe
/// gets every byte.
void prepare_output(const Arguments& arguments) {
  if (arguments.out_paint().on()) let_colours_through(STDOUT_FILENO, Colours::any);
  leave_output_alone();
}

int show_logs(const Arguments& arguments, const RunDirectory& run, const Plan& plan,
              const std::string& selector) {
  prepare_output(arguments);
  const InstanceId id = chosen_instance(plan, selector);
  const std::string& stage = plan.stage(id.stage).name;
  const unsigned newest = newest_attempt(run, stage, id.index);
  if (newest == 0 && show_packed(arguments, run, plan, id)) return exit_done;
  const auto attempt = static_cast<unsigned>(arguments.number("attempt").value_or(static_cast<int>(newest)));
  if (attempt == 0 || attempt > newest)
    throw UsageError(fmt::format("{} has not run{}: it has no logs", plan.label(id),
                                 attempt > newest ? " that often" : ""));
  const fs::path directory = run.attempt(stage, id.index, attempt);
  if (arguments.json()) {
    const Json json{{"schema_version", 1},
                    {"run", run.name()},
                    {"instance", plan.label(id)},
                    {"attempt", attempt},
                    {"out", (directory / "out.log").string()},
                    {"err", (directory / "err.log").string()},
                    {"exec", (directory / "exec.log").string()}};
    fmt::print("{}\n", json.dump(2));
  } else if (arguments.has("follow")) {
    follow(
        directory / (arguments.has("err") ? "err.log" : "out.log"), run.journal(),
        [&] { return has_ended(run, stage, id.index, attempt); }, stdout);
  } else if (arguments.has("err")) {
    show({directory / "err.log"});
  } else if (arguments.has("out")) {
    show({directory / "out.log"});
  } else {
    show({directory / "out.log", directory / "err.log", directory / "exec.log"});
  }
  return exit_done;
}

int logs(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_runs_option(options);
  add_flag(options, "out", "what it wrote to stdout only");
  add_flag(options, "err", "what it wrote to stderr only");
  add_number(options, "attempt", "N", "the log of that attempt (default: the newest)");
  add_flag(options, "follow,f", "keep printing as it grows, until the attempt ends");
  Arguments arguments(self, options, {"run", "stage"});
  if (!arguments.parse(words)) return exit_done;

  std::string selector = arguments.text("run", "last"), stage = arguments.text("stage");
  if (stage.empty() && arguments.has("run")) {
    // One word alone names a stage of the last run, if there is one of that name.
    const RunDirectory last = chosen_run(arguments, "last");
    const auto plan = plan_of(last);
    const std::string name = selector.substr(0, selector.find_first_of(".["));
    if (plan && plan->workflow().find(name) != nullptr) return show_logs(arguments, last, *plan, selector);
  }
  const RunDirectory run = chosen_run(arguments, selector);
  const Plan plan = require_plan(run);
  if (!stage.empty()) return show_logs(arguments, run, plan, stage);
  list(run, arguments.json());
  return exit_done;
}

}  // namespace

const Command logs_command{"logs", "the output of an instance", "[RUN] [STAGE[.INSTANCE]] [options]",
                           "  kernmill logs last                   which logs there are\n"
                           "  kernmill logs last fit\n"
                           "  kernmill logs last search.3 --err\n"
                           "  kernmill logs last fit -f            while it runs\n",
                           logs};

}  // namespace kernmill::cli
