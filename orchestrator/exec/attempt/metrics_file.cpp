#include "kernmill/exec/attempt/metrics_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <functional>

#include <fmt/format.h>

#include "kernmill/base/table/csv.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using LineTaker = std::function<void(int number, const std::string& line, std::optional<MetricsLine>)>;

/// Whoever reads a pipe or a device waits for its end.
bool is_file(const fs::path& file) {
  std::error_code none;
  return fs::is_regular_file(file, none);
}

bool is_metric_name(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front()))) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-./").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool counts_steps(std::string_view name) {
  constexpr std::array<std::string_view, 3> names{"step", "epoch", "iteration"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Numbers as JSON has them, and as C, Fortran and Python print them (".5", "5.", "+5", "1e-05"); booleans;
/// what is no finite number becomes one of the texts nan, inf and -inf. Anything else is a text, and so is a
/// whole number of more than 64 bits: as a real it would be another one.
Json metric_value(const std::string& text) {
  Json value = json_or_nothing(text);
  const bool is_whole = text.find_first_not_of("+-0123456789") == std::string::npos;
  if (value.is_number_float() && is_whole) return text;
  if (value.is_number() || value.is_boolean()) return value;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  double number = 0;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.starts_with("+-")) return text;
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  if (!is_whole) return number;
  return text.starts_with('+') ? metric_value(text.substr(1)) : Json(text);  // 007 is a name
}

std::optional<std::pair<std::string, Json>> metric(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || !is_metric_name(text.substr(0, equals)) || !is_utf8(text))
    return {};
  return std::pair(std::string(text.substr(0, equals)), metric_value(std::string(text.substr(equals + 1))));
}

/// Every word of it is a metric, and the first counts steps; a text with blanks is none.
std::optional<MetricsLine> row_in(std::string_view line) {
  MetricsLine row{{}, true};
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    auto one = metric(line.substr(at, end - at));
    if (!one || (row.values.empty() && !(counts_steps(one->first) && one->second.is_number()))) return {};
    row.values.push_back(std::move(*one));
    at = end;
  }
  if (row.values.size() < 2) return {};
  return row;
}

void for_each_metrics_line(std::istream& lines, const LineTaker& take) {
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos) take(number, line, metrics_line(line));
  }
}

/// Bytes that are no text would not find their way into JSON.
std::string as_shown(const std::string& line) {
  constexpr std::size_t most = 60;
  const std::string text = printable_line(line.substr(0, most));
  return line.size() > most ? text + "..." : text;
}

Metrics metrics_in(std::istream& lines) {
  Metrics metrics;
  int others = 0;
  for_each_metrics_line(lines, [&](int number, const std::string& line, std::optional<MetricsLine> said) {
    if (!said) {
      if (others++ == 0) metrics.warning = fmt::format("line {}: '{}'", number, as_shown(line));
      return;
    }
    metrics.has_history |= said->is_row;
    for (auto& [name, value] : said->values) metrics.last[name] = std::move(value);
  });
  if (others == 1)
    metrics.warning = "a line of KERNMILL_METRICS is no metric, and was left out: " + metrics.warning;
  if (others > 1)
    metrics.warning =
        fmt::format("{} lines of KERNMILL_METRICS are no metrics, and were left out, the first: {}", others,
                    metrics.warning);
  return metrics;
}

}  // namespace

std::optional<MetricsLine> metrics_line(std::string_view line) {
  if (auto row = row_in(line)) return row;
  auto one = metric(line);
  if (!one) return {};
  return MetricsLine{{std::move(*one)}, false};
}

Metrics read_metrics(const fs::path& file) {
  if (!is_file(file)) return {};
  std::ifstream lines(file, std::ios::binary);
  return metrics_in(lines);
}

Metrics read_last_metrics(const fs::path& file) {
  constexpr std::streamoff most = 64 * 1024;
  if (!is_file(file)) return {};
  std::ifstream lines(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = lines.tellg();
  if (size <= 0) return {};
  lines.seekg(std::max<std::streamoff>(0, size - most));
  std::string cut;
  if (size > most) std::getline(lines, cut);
  Metrics metrics = metrics_in(lines);
  metrics.warning.clear();
  return metrics;
}

std::optional<Json> history_row(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  auto said = row_in(line);
  if (!said) return {};
  Json row = Json::object();
  for (auto& [name, value] : said->values) row[name] = std::move(value);
  return row;
}

}  // namespace kernmill::exec
