#include "kernmill/exec/attempt/reduce.hpp"

#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/workflow/command_stage.hpp"

namespace kernmill::exec {
namespace {

struct Trial {
  std::uint32_t number = 0;
  bool committed = false;
  std::optional<double> value;
  Json written = {};  ///< the value as the trial wrote it
};

std::vector<Trial> read_trials(const Attempt& attempt) {
  std::vector<Trial> trials;
  for (std::uint32_t number = 0; number < attempt.id.index; ++number) {
    Trial trial{number, false, {}};
    if (const auto result = attempt.commits.result({attempt.id.stage, number})) {
      trial.committed = true;
      trial.written = trial_value(attempt.stage(), result->metrics);
      const Json& value = trial.written;
      if (value.is_number() && std::isfinite(value.get<double>())) trial.value = value.get<double>();
    }
    trials.push_back(trial);
  }
  return trials;
}

const Trial* best_of(const std::vector<Trial>& trials, bool maximize) {
  const Trial* best = nullptr;
  for (const Trial& trial : trials)
    if (trial.value &&
        (best == nullptr || (maximize ? *trial.value > *best->value : *trial.value < *best->value)))
      best = &trial;
  return best;
}

std::string cell(const Json& value) {
  return csv_field(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string table(const Attempt& attempt, const std::vector<Trial>& trials) {
  std::string csv = "trial";
  const Json first = attempt.plan.values({attempt.id.stage, 0});
  for (const auto& [name, value] : first.items()) csv += ',' + cell(name);
  csv += ",value,status\n";
  for (const Trial& trial : trials) {
    csv += std::to_string(trial.number);
    const Json point = attempt.plan.written_values({attempt.id.stage, trial.number});
    for (const Json& value : point) csv += ',' + cell(value);
    csv += ',' + (trial.value ? trial.written.dump() : "");
    csv += !trial.committed ? ",failed\n" : trial.value ? ",committed\n" : ",no value\n";
  }
  return csv;
}

/// The metrics that a command has written in place of the one that is compared.
std::string what_was_written(const Attempt& attempt, std::size_t trials) {
  std::set<std::string> names;
  for (std::uint32_t number = 0; number < trials; ++number)
    if (const auto result = attempt.commits.result({attempt.id.stage, number}))
      for (const auto& [name, value] : result->metrics.items()) names.insert(name);
  if (names.empty()) return "they have written no metric to $KERNMILL_METRICS";
  return fmt::format("the metrics that they have written are {}", fmt::join(names, ", "));
}

std::string no_best(const Attempt& attempt, std::size_t trials, const std::string& metric) {
  const std::string what = fmt::format("none of the {} trials of {} has a finite value of {}", trials,
                                       attempt.stage().name, metric);
  if (searches_with_command(attempt.stage()))
    return fmt::format("{}: {}; look at the log of one", what, what_was_written(attempt, trials));
  return what +
         ": look at the log of one, and search elsewhere (a smaller optimizer.learning_rate, scaled "
         "features)";
}

/// The outputs of the best trial are the search's own: linked, or copied where that cannot be.
void take_outputs(const Attempt& attempt, InstanceId trial, Leavings& leavings) {
  namespace fs = std::filesystem;
  const auto result = attempt.commits.result(trial);
  for (const Artifact& artifact : result->artifacts) {
    const fs::path place = attempt.file(artifact.name.substr(0, artifact.name.find_last_not_of('/') + 1));
    make_directories(place.parent_path());
    fs::remove_all(place);
    std::error_code no_link;
    fs::copy(artifact.path, place, fs::copy_options::recursive | fs::copy_options::create_hard_links,
             no_link);
    if (no_link) fs::copy(artifact.path, place, fs::copy_options::recursive);
    leavings.artifacts.emplace_back(artifact.name, place);
  }
}

Json description(const Attempt& attempt, const Trial& best) {
  const InstanceId id{attempt.id.stage, best.number};
  Json document = {{"schema_version", 1},
                   {"trial", best.number},
                   {"value", best.written},
                   {"metric", attempt.stage().config.at("objective").at("metric")},
                   {"point", attempt.plan.values(id)}};
  if (searches_with_command(attempt.stage()))
    document["metrics"] = attempt.commits.result(id)->metrics;
  else
    document["train"] = attempt.plan.config(id).at("train");
  return document;
}

}  // namespace

Leavings reduce_trials(const Attempt& attempt) {
  const std::vector<Trial> trials = read_trials(attempt);
  const Json objective = attempt.plan.config(attempt.id).at("objective");
  const Trial* best = best_of(trials, objective.at("goal") == "maximize");
  if (best == nullptr) throw AttemptError(no_best(attempt, trials.size(), objective.at("metric")));
  write_file_durably(attempt.file("best.json"), description(attempt, *best).dump(2) + "\n");
  write_file_durably(attempt.file("trials.csv"), table(attempt, trials));
  std::size_t failed = 0;
  for (const Trial& trial : trials) failed += trial.value ? 0 : 1;
  Leavings leavings{
      {{"value", best->written}, {"trial", best->number}, {"trials", trials.size()}, {"failed", failed}},
      {{"best", attempt.file("best.json")}, {"trials", attempt.file("trials.csv")}}};
  take_outputs(attempt, {attempt.id.stage, best->number}, leavings);
  return leavings;
}

}  // namespace kernmill::exec
