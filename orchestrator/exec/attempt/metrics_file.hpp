#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernmill/workflow/value/value.hpp"

/// The file that $KERNMILL_METRICS names. A line is `name=value`; or, where the first name is step, epoch or
/// iteration, several of them with blanks between: `step=100 loss=0.3`, a row of the metrics' history.
namespace kernmill::exec {

inline constexpr const char* metrics_file = "metrics.txt";

/// What one line says.
struct MetricsLine {
  std::vector<std::pair<std::string, Json>> values;
  bool is_row = false;  ///< of the history
};

/// Nothing: the line is none.
std::optional<MetricsLine> metrics_line(std::string_view line);

/// What all lines say together.
struct Metrics {
  Json last = Json::object();  ///< of each metric the last value
  std::string warning;         ///< which lines are none; empty: all could be read
  bool has_history = false;
};

/// No metrics when there is no such file. A line that is none is left out: what was computed is not lost over
/// it.
Metrics read_metrics(const std::filesystem::path& file);

/// The same of the end of a file that is still written to: 64 KiB at most.
Metrics read_last_metrics(const std::filesystem::path& file);

/// What a line says that is a row of the history; nothing: it is none.
std::optional<Json> history_row(std::string_view line);

}  // namespace kernmill::exec
