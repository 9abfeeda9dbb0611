#include "kernmill/report/quantity.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/workflow/by_kind.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

const std::vector<std::string>& favourites(TaskKind kind) {
  static const ByKind<std::vector<std::string>> names{
      .preprocess = {"untrained_classes", "rows", "features", "classes", "train_rows", "test_rows"},
      .train = {"untrained_classes", "objective", "train_loss", "train_accuracy", "train_rmse", "iterations",
                "epochs", "inertia", "explained_variance", "components", "rows"},
      .evaluate = {"accuracy", "correct", "rmse", "r2", "r2_vs_naive", "naive_rmse", "inertia", "silhouette",
                   "adjusted_rand", "reconstruction_error", "explained_variance", "rows", "log_loss"},
      .tune = {"value", "trial", "trials", "failed"},
      .deploy = {"rows", "rejected"}};
  return names[kind];
}

}  // namespace

std::string duration_text(std::chrono::duration<double> duration) {
  const double seconds = std::max(0.0, duration.count());
  if (seconds < 9.995) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole / 3600 % 24);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.4g} {}", value, units[unit]);
}

std::string number_text(const Json& value) {
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  if (value.is_string()) return printable_line(value.get_ref<const std::string&>());
  return value.dump();
}

std::vector<std::string> key_metrics(TaskKind kind, const Json& metrics, std::size_t limit) {
  std::vector<std::string> names;
  for (const std::string& name : favourites(kind))
    if (names.size() < limit && metrics.contains(name)) names.push_back(name);
  if (!names.empty()) return names;
  for (const auto& [name, value] : metrics.items())
    if (names.size() < limit && value.is_primitive()) names.push_back(name);
  return names;
}

std::string metrics_text(TaskKind kind, const Json& metrics, std::size_t limit) {
  std::string text;
  for (const std::string& name : key_metrics(kind, metrics, limit))
    text +=
        fmt::format("{}{} {}", text.empty() ? "" : "  ", printable_line(name), number_text(metrics[name]));
  return text;
}

std::string values_text(const Json& values) {
  std::string text;
  for (const auto& [name, value] : values.items())
    text += fmt::format("{}{}={}", text.empty() ? "" : "  ", printable_line(name), number_text(value));
  return text;
}

std::optional<double> seconds_of(std::string_view time_stamp) {
  const auto moment = utc_moment(time_stamp);
  if (!moment) return {};
  return std::chrono::duration<double>(moment->time_since_epoch()).count();
}

std::optional<std::chrono::duration<double>> between(std::string_view from, std::string_view to) {
  const auto begin = seconds_of(from);
  const auto end = seconds_of(to);
  if (!begin || !end) return {};
  return std::chrono::duration<double>(std::max(*end - *begin, 0.0));  // two hosts may have written them
}

std::string time_text(std::string_view time_stamp) {
  if (time_stamp.size() < 19) return "-";
  return fmt::format("{} {}", time_stamp.substr(0, 10), time_stamp.substr(11, 8));
}

}  // namespace kernmill
