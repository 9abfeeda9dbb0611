#include "kernmill/exec/attempt/reduce.hpp"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"

namespace kernmill::exec {
namespace {

struct Trial {
  std::uint32_t number = 0;
  bool committed = false;
  std::optional<double> value;
};

std::vector<Trial> read_trials(const Attempt& attempt) {
  std::vector<Trial> trials;
  for (std::uint32_t number = 0; number < attempt.id.index; ++number) {
    Trial trial{number, false, {}};
    if (const auto result = attempt.commits.result({attempt.id.stage, number})) {
      trial.committed = true;
      const Json value = result->metrics.value("value", Json());
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

/// A cell of a CSV file, quoted where it has to be (RFC 4180).
std::string cell(const Json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
  return '"' + text + '"';
}

std::string table(const Attempt& attempt, const std::vector<Trial>& trials) {
  std::string csv = "trial";
  const Json first = attempt.plan.values({attempt.id.stage, 0});
  for (const auto& [name, value] : first.items()) csv += ',' + cell(name);
  csv += ",value,status\n";
  for (const Trial& trial : trials) {
    csv += std::to_string(trial.number);
    const Json point = attempt.plan.values({attempt.id.stage, trial.number});
    for (const Json& value : point) csv += ',' + cell(value);
    csv += ',' + (trial.value ? Json(*trial.value).dump() : "");
    csv += !trial.committed ? ",failed\n" : trial.value ? ",committed\n" : ",no value\n";
  }
  return csv;
}

}  // namespace

Leavings reduce_trials(const Attempt& attempt) {
  const std::vector<Trial> trials = read_trials(attempt);
  const Json objective = attempt.plan.config(attempt.id).at("objective");
  const Trial* best = best_of(trials, objective.at("goal") == "maximize");
  if (best == nullptr)
    throw AttemptError(
        fmt::format("none of the {} trials of {} has a finite value of {}: look at the log of one, and "
                    "search elsewhere (a smaller optimizer.learning_rate, scaled features)",
                    trials.size(), attempt.stage().name, objective.at("metric").get<std::string>()));
  const InstanceId id{attempt.id.stage, best->number};
  const Json document = {{"schema_version", 1},
                         {"trial", best->number},
                         {"value", *best->value},
                         {"metric", objective.at("metric")},
                         {"point", attempt.plan.values(id)},
                         {"train", attempt.plan.config(id).at("train")}};
  write_file_durably(attempt.file("best.json"), document.dump(2) + "\n");
  write_file_durably(attempt.file("trials.csv"), table(attempt, trials));
  std::size_t failed = 0;
  for (const Trial& trial : trials) failed += trial.value ? 0 : 1;
  return {{{"value", *best->value}, {"trial", best->number}, {"trials", trials.size()}, {"failed", failed}},
          {{"best", attempt.file("best.json")}, {"trials", attempt.file("trials.csv")}}};
}

}  // namespace kernmill::exec
