#include "kernmill/report/training_progress.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <initializer_list>
#include <iterator>

#include <fmt/format.h>

#include "kernmill/base/training_lines.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using std::chrono::duration;

/// A line that is a row, or {}.
Json row_in_line(std::string_view line) {
  Json row = json_or_nothing(std::string(line));
  const bool is_row = row.is_object() && row.contains("step") && row["step"].is_number_unsigned();
  return is_row ? row : Json::object();
}

double number_at(const Json& json, const char* name, double otherwise = 0) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<double>() : otherwise;
}

/// The end of a file, of which the first line may be a part of one.
std::string end_of(const fs::path& file) {
  constexpr std::streamoff most = 64 * 1024;
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return {};
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  in.seekg(std::max<std::streamoff>(0, static_cast<std::streamoff>(in.tellg()) - most));
  return {std::istreambuf_iterator<char>(in), {}};
}

Json left_at(const Json& left, double age) {
  Json now = Json::object();
  for (const char* name : {"seconds", "low", "high"}) now[name] = std::max(0.0, number_at(left, name) - age);
  return now;
}

/// "epoch 12/30", "iteration 56 of at most 1000".
std::string counted_steps(const Json& row) {
  const bool by_epoch = row.contains("epoch"), converges = row.contains("goal_norm");
  const char* const all = by_epoch ? "epochs" : "steps";
  const std::string most = fmt::format("most_{}", all);
  std::string text = fmt::format("{} {}",
                                 by_epoch    ? "epoch"
                                 : converges ? "iteration"
                                             : "step",
                                 number_text(row[by_epoch ? "epoch" : "step"]));
  if (row.contains(all)) text += "/" + number_text(row[all]);
  if (row.contains(most)) text += " of at most " + number_text(row[most]);
  return text;
}

std::string left_text(const Json& progress) {
  constexpr double silent = 60;  // seconds
  const bool is_old = number_at(progress, "age") > silent + 10 * number_at(progress, "seconds");
  std::string ago =
      is_old ? fmt::format("  as of {} ago", duration_text(duration<double>(number_at(progress, "age"))))
             : "";
  if (is_old || !progress.contains("left")) return ago;
  const auto text = [&](const char* name) {
    return duration_text(duration<double>(number_at(progress["left"], name)));
  };
  const bool may_end_before = progress.contains("most_steps");
  const std::string seconds = text("seconds"), low = text("low"), high = text("high");
  return fmt::format("  {}{} left{}", may_end_before ? "at most " : "", seconds,
                     low == high ? "" : fmt::format(" ({} to {})", low, high));
}

/// The number behind "attempt-"; 0 where there is none.
unsigned number_of_attempt(const fs::path& attempt) {
  constexpr std::string_view before = "attempt-";
  const std::string name = attempt.filename().string();
  unsigned number = 0;
  if (name.starts_with(before))
    std::from_chars(name.data() + before.size(), name.data() + name.size(), number);
  return number;
}

Json numbers_of(const Json& row, std::initializer_list<const char*> names) {
  Json numbers = Json::object();
  for (const char* name : names)
    if (row.contains(name) && row[name].is_number()) numbers[name] = row[name];
  return numbers;
}

AttemptRows<Json> rows_in(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  AttemptRows<Json> told;
  for (const std::string_view line : whole_lines(text)) {
    if (Json row = row_in_line(line); !row.empty()) {
      Json metrics = metrics_of_progress(row);
      metrics.update(numbers_of(row, {"compute_seconds", "communication_seconds", "input_seconds",
                                      "checkpoint_seconds", "memory"}));
      told.rows.push_back(std::move(metrics));
      continue;
    }
    const Json begin = json_or_nothing(std::string(line));
    if (begin.is_object() && begin.contains("begin") && begin["begin"].is_object())
      told.from_step = static_cast<std::uint64_t>(number_at(begin["begin"], "from_step"));
  }
  return told;
}

}  // namespace

Json read_training_progress(const fs::path& attempt, std::string_view now) {
  const std::string text = end_of(attempt / training_lines);
  const auto lines = whole_lines(text);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    Json row = row_in_line(*line);
    if (row.empty()) continue;
    row.erase("schema_version");
    row["as_of"] = text_in(row, "time");
    row.erase("time");
    const auto age = between(text_in(row, "as_of"), now);
    row["age"] = age ? std::max(0.0, age->count()) : 0.0;
    if (row.contains("left") && row["left"].is_object())
      row["left"] = left_at(row["left"], number_at(row, "age"));
    return row;
  }
  return Json::object();
}

Json metrics_of_progress(const Json& progress) {
  return numbers_of(progress, {"step", "epoch", "loss", "accuracy", "validation_loss", "objective",
                               "gradient_norm", "rate", "rows_per_second"});
}

std::string progress_text(const Json& progress) {
  if (progress.empty()) return {};
  std::string text = counted_steps(progress);
  for (const char* name : {"loss", "objective", "accuracy", "validation_loss"})
    if (progress.contains(name)) text += fmt::format("  {} {}", name, number_text(progress[name]));
  if (progress.contains("gradient_norm") && progress.contains("goal_norm"))
    text += fmt::format("  gradient {}, ends at {}", number_text(progress["gradient_norm"]),
                        number_text(progress["goal_norm"]));
  return text + left_text(progress);
}

std::vector<Json> read_training_history(const fs::path& attempt) {
  std::vector<AttemptRows<Json>> told;
  for (unsigned number = 1; number <= number_of_attempt(attempt); ++number) {
    const fs::path file = attempt.parent_path() / fmt::format("attempt-{}", number) / training_lines;
    std::error_code none;
    if (fs::is_regular_file(file, none)) told.push_back(rows_in(file));
  }
  return rows_of_attempts(std::move(told), [](const Json& row) { return row["step"].get<std::uint64_t>(); });
}

}  // namespace kernmill
