#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// "0.41 s", "12.3 s", "2 min 05 s", "1 h 02 min", "3 d 04 h".
std::string duration_text(std::chrono::duration<double> duration);
/// "512 B", "1.5 GiB".
std::string bytes_text(std::uint64_t bytes);
/// A metric's value: four significant digits of a real, everything of an integer or a text.
std::string number_text(const Json& value);

/// The metrics that say most about a task of this kind, best first; for a kind without known ones, all that
/// are scalars.
std::vector<std::string> key_metrics(TaskKind kind, const Json& metrics, std::size_t limit);
/// "accuracy 0.9667  correct 29  rows 30".
std::string metrics_text(TaskKind kind, const Json& metrics, std::size_t limit = 4);
/// "C=0.1  depth=3": what a matrix made of an instance.
std::string values_text(const Json& values);

/// Between two of the journal's time stamps; nothing when one of them is none.
std::optional<std::chrono::duration<double>> between(std::string_view from, std::string_view to);
/// Seconds since 1970 of "2026-11-21T04:05:06.123Z"; nothing when it is no time stamp.
std::optional<double> seconds_of(std::string_view time_stamp);
/// "2026-11-21 04:05:06" (UTC) of a time stamp; "-" of an empty one.
std::string time_text(std::string_view time_stamp);

}  // namespace kernmill
