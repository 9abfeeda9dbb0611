#include "kernmill/report/run_summary.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/journal/instance_result.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

constexpr std::size_t most_rows = 40, most_failures = 5;

std::vector<const InstanceStatus*> finished_of(const RunStatus& status, std::uint32_t stage) {
  std::vector<const InstanceStatus*> found;
  for (const InstanceStatus& instance : status.instances)
    if (instance.id.stage == stage && instance.state == State::finished) found.push_back(&instance);
  return found;
}

/// Whether a person runs a workflow for what this stage leaves.
bool is_result(const RunStatus& status, const StageStatus& stage) {
  const bool evaluated =
      std::any_of(status.stages.begin(), status.stages.end(), [](const StageStatus& other) {
        return other.kind == TaskKind::evaluate && other.of(State::finished) > 0;
      });
  switch (stage.kind) {
    case TaskKind::preprocess:
      return false;
    case TaskKind::train:
      return !evaluated;
    default:
      return stage.of(State::finished) > 0;
  }
}

bool is_scalar(const Json& value) {
  return value.is_primitive() && !value.is_null();
}

/// Artifacts that are meant for people rather than for a later stage.
bool is_product(const Artifact& artifact) {
  return artifact.name != "model" && artifact.name != "dataset" && artifact.name != "best" &&
         !artifact.temp && !is_record(artifact);
}

void add_single(TextTable& table, const std::string& stage, const InstanceStatus& instance) {
  std::string label = stage;
  const auto add = [&](const std::string& name, const std::string& value) {
    table.row({std::exchange(label, ""), name, value});
  };
  for (const auto& [name, value] : instance.metrics.items())
    if (is_scalar(value)) add(printable_line(name), number_text(value));
  if (!instance.point.empty()) add("point", values_text(instance.point));
  for (const std::string& line : instance.output) add("printed", printable_line(line));
  for (const Artifact& artifact : instance.artifacts)
    if (is_product(artifact)) add(printable_line(artifact.name), printable_line(artifact.path));
}

std::vector<std::string> scalar_names(const std::vector<const InstanceStatus*>& instances) {
  std::vector<std::string> names;
  for (const InstanceStatus* instance : instances)
    for (const auto& [name, value] : instance->metrics.items())
      if (is_scalar(value) && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  return names;
}

/// A line for each instance: the values of its matrix, then its metrics.
std::string matrix_table(const StageStatus& stage, const std::vector<const InstanceStatus*>& instances) {
  const std::vector<std::string> metrics = scalar_names(instances);
  if (metrics.empty()) return {};
  TextTable table({}, "  ");
  std::vector<std::string> head, shown;
  for (const auto& [name, value] : instances.front()->written.items()) head.push_back(name);
  const std::size_t axes = head.size();
  const bool some_run = std::any_of(instances.begin(), instances.end(), [](const InstanceStatus* instance) {
    return instance->state == State::running;
  });
  head.insert(head.end(), metrics.begin(), metrics.end());
  for (const std::string& name : head) shown.push_back(printable_line(name));
  if (some_run) shown.emplace_back("state");
  table.row(shown);
  for (std::size_t row = 0; row < std::min(instances.size(), most_rows); ++row) {
    std::vector<std::string> cells;
    for (std::size_t column = 0; column < head.size(); ++column) {
      const Json& source = column < axes ? instances[row]->written : instances[row]->metrics;
      cells.push_back(source.contains(head[column]) ? number_text(source[head[column]]) : "-");
    }
    if (some_run) cells.emplace_back(to_string(instances[row]->state));
    table.row(cells);
  }
  std::string text = stage.name + "\n" + table.text();
  const std::uint32_t finished = stage.of(State::finished);
  if (finished > most_rows) text += fmt::format("  ... and {} more\n", finished - most_rows);
  return text;
}

std::string reason(const InstanceStatus& failed) {
  if (failed.signal != 0) return fmt::format("{}, signal {}", to_string(failed.cause), failed.signal);
  if (failed.exit_code != 0)
    return fmt::format("{}, exit status {}", to_string(failed.cause), failed.exit_code);
  return std::string(to_string(failed.cause));
}

/// "logs NAME fit" understands a label without its brackets.
std::string selector(const InstanceStatus& instance) {
  std::string text = instance.label;
  std::replace(text.begin(), text.end(), '[', '.');
  std::erase(text, ']');
  return text;
}

std::string indented(const std::string& text, const std::string& indent) {
  std::string result = indent;
  for (const char c : text) result += c == '\n' ? "\n" + indent : std::string(1, c);
  return result.substr(0, result.find_last_not_of(" \n") + 1) + "\n";
}

std::string failure_text(const RunStatus& status, const InstanceStatus& failed, const Paint& paint) {
  const std::string values = values_text(failed.written);
  std::string text = fmt::format("  {}{}  {}\n", paint(Color::red, failed.label),
                                 values.empty() ? "" : " (" + values + ")", reason(failed));
  if (!failed.message.empty()) text += indented(printable(failed.message), "    ");
  if (!failed.help.empty()) text += indented("help: " + printable(failed.help), "    ");
  if (!failed.directory.empty()) text += fmt::format("    logs: {}\n", printable_line(failed.directory));
  text += fmt::format("    look: kernmill logs {} {}\n", status.name, selector(failed));
  return text;
}

std::string names_of(const RunStatus& status, State state) {
  std::string text;
  for (const StageStatus& stage : status.stages) {
    const std::uint32_t number = stage.of(state);
    if (number == 0) continue;
    text += (text.empty() ? "" : ", ") + stage.name;
    if (stage.instances > 1) text += fmt::format(" ({} of {})", number, stage.instances);
  }
  return text;
}

std::uint64_t total(const RunStatus& status, State state) {
  std::uint64_t sum = 0;
  for (const StageStatus& stage : status.stages) sum += stage.of(state);
  return sum;
}

std::string counts_text(const RunStatus& status) {
  std::uint64_t cached = 0;
  for (const StageStatus& stage : status.stages) cached += stage.cached;
  const std::uint64_t finished = total(status, State::finished);
  std::string text = fmt::format("{} finished", finished);
  if (cached > 0) text += fmt::format(" ({} cached)", cached);
  for (const State state : {State::skipped, State::failed, State::blocked})
    if (const std::uint64_t number = total(status, state); number > 0)
      text += fmt::format(", {} {}", number, to_string(state));
  const std::uint64_t open = total(status, State::waiting) + total(status, State::ready);
  if (open > 0) text += fmt::format(", {} not run yet", open);
  return text;
}

Color color_of(const std::string& state) {
  if (state == "done") return Color::green;
  if (state == "cached" || state == "running" || state == "queued") return Color::blue;
  if (state == "failed" || state == "dead") return Color::red;
  if (state == "waiting" || state == "skipped" || state == "created") return Color::dim;
  return Color::yellow;
}

std::string headline(const std::string& state) {
  if (state == "done") return "Done";
  if (state == "failed") return "Failed";
  if (state == "interrupted") return "Interrupted";
  if (state == "cancelled") return "Cancelled";
  return state;
}

/// What a stage's line says besides its state: how many of its instances, or its metrics.
std::string stage_details(const StageStatus& stage) {
  if (!stage.decided_by.empty()) return stage.decided_by;
  if (stage.instances == 0) return "no instances";
  std::string metrics = metrics_text(stage.kind, stage.metrics);
  if (stage.instances == 1 && !stage.progress.empty()) return stage.progress;
  if (stage.instances == 1) return stage.queued > 0 ? printable_line(stage.queue_reason) : metrics;
  std::string text = fmt::format("{}/{}", stage.of(State::finished), stage.instances);
  for (const State state : {State::running, State::failed, State::skipped, State::blocked})
    if (stage.of(state) > 0) text += fmt::format(", {} {}", stage.of(state), to_string(state));
  if (stage.queued > 0)
    text += fmt::format(", {} queued{}", stage.queued,
                        stage.queue_reason.empty() ? "" : " (" + printable_line(stage.queue_reason) + ")");
  if (stage.cached > 0) text += fmt::format(", {} cached", stage.cached);
  return text + (metrics.empty() ? "" : "  " + metrics);
}

/// A tune stage whose trials are not judged, since one of them failed; empty: there is none.
std::string blocked_search(const RunStatus& status) {
  for (const StageStatus& stage : status.stages)
    if (stage.kind == TaskKind::tune && stage.of(State::failed) > 0 && stage.of(State::blocked) > 0 &&
        stage.of(State::finished) > 0)
      return stage.name;
  return {};
}

}  // namespace

std::string results_text(const RunStatus& status) {
  TextTable singles({}, "");
  std::string matrices;
  for (std::uint32_t number = 0; number < status.stages.size(); ++number) {
    const StageStatus& stage = status.stages[number];
    if (!is_result(status, stage)) continue;
    const auto finished = finished_of(status, number);
    if (finished.empty()) continue;
    if (stage.instances == 1 || stage.kind == TaskKind::tune) {
      if (stage.instances == 1 || !stage.metrics.empty()) add_single(singles, stage.name, *finished.back());
    } else {
      matrices += (matrices.empty() ? "" : "\n") + matrix_table(stage, finished);
    }
  }
  return matrices + (matrices.empty() || singles.empty() ? "" : "\n") + singles.text();
}

std::string results_text(const RunStatus& status, std::uint32_t number) {
  const StageStatus& stage = status.stages[number];
  std::vector<const InstanceStatus*> rows;
  const InstanceStatus* single = nullptr;  // the only one, or the reduce of a search
  for (const InstanceStatus& instance : status.instances) {
    const bool has_run = instance.state == State::finished || instance.state == State::running;
    if (instance.id.stage != number || !has_run) continue;
    const bool is_single = stage.instances == 1 || instance.written.empty();
    if (is_single)
      single = &instance;
    else if (instance.state == State::finished || !instance.metrics.empty())
      rows.push_back(&instance);
  }
  std::string text = rows.empty() ? "" : matrix_table(stage, rows);
  TextTable table({}, "");
  if (single != nullptr) add_single(table, stage.name, *single);
  return text + (text.empty() || table.empty() ? "" : "\n") + table.text();
}

std::string warnings_text(const RunStatus& status, const Paint& paint) {
  std::uint64_t all = 0, shown = 0;
  std::string text;
  for (const StageStatus& stage : status.stages) all += stage.warnings;
  for (const InstanceStatus& instance : status.instances) {
    if (instance.warning.empty() || shown == most_failures) continue;
    text += fmt::format("  {}: {}: {}\n", paint(Color::yellow, "warning"), instance.label,
                        printable_line(instance.warning));
    ++shown;
  }
  if (all > shown)
    text += fmt::format(
        "  {}{}: kernmill explain {}\n", shown == 0 ? "" : "... and ",
        shown == 0 ? counted(all, "instance") + " with warnings" : fmt::format("{} more", all - shown),
        status.name);
  return text;
}

std::string failures_text(const RunStatus& status, const Paint& paint) {
  std::string text;
  std::size_t shown = 0, failures = 0;
  for (const InstanceStatus& instance : status.instances) {
    if (instance.state != State::failed) continue;
    if (++failures > most_failures) continue;
    text += failure_text(status, instance, paint);
    ++shown;
  }
  if (failures == 0) return {};
  if (failures > shown)
    text += fmt::format("  ... and {} more: kernmill explain {}\n", failures - shown, status.name);
  const std::string blocked = names_of(status, State::blocked);
  const std::string finished = names_of(status, State::finished);
  if (!blocked.empty()) text += fmt::format("  blocked by that: {}\n", blocked);
  if (const std::string search = blocked_search(status); !search.empty())
    text += fmt::format("  help: max_fails: N in '{}' lets its search go on without the trials that failed\n",
                        search);
  if (!finished.empty()) text += fmt::format("  finished: {}\n", finished);
  return text;
}

std::string closing_text(const RunStatus& status, const Paint& paint) {
  std::string text = fmt::format("{} in {}: {}.\n", paint(color_of(status.state), headline(status.state)),
                                 duration_text(status.took), counts_text(status));
  TextTable table({}, "  ");
  table.row({"run", status.directory});
  if (status.state == "done") {
    table.row({"next", fmt::format("kernmill status {}", status.name)});
    table.row({"", fmt::format("kernmill explain {}", status.name)});
  } else {
    table.row({"next", fmt::format("kernmill resume {}", status.name)});
  }
  return text + table.text();
}

std::string stages_text(const RunStatus& status, const Paint& paint) {
  TextTable table({TextTable::Align::left, TextTable::Align::left, TextTable::Align::right}, "  ");
  for (const StageStatus& stage : status.stages)
    table.row({stage.name, paint(color_of(stage.word()), stage.word()),
               stage.took.count() > 0 ? duration_text(stage.took) : "-", stage_details(stage)});
  return table.text();
}

}  // namespace kernmill
