#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace kernmill {

/// The logs of a slot hold what its instances wrote, one after another. Each has a line before it that begins
/// with a mark of this log alone: what an instance prints of others' data cannot look like the lines of
/// another.

/// In it lie metrics that have a history, of instances that leave no folder.
inline constexpr const char* slot_metrics = "metrics.log";

/// The first line of such a log, with its end; `token` is drawn by lot.
std::string slot_log_head(const std::string& token);

/// What the line before each instance's begins with, by the first line of the log. Logs of earlier versions
/// have
/// "==> ".
std::string section_mark(std::string_view first_line);

/// How the lines of an attempt of that instance are called.
std::string section_title(const std::string& label, unsigned attempt);

/// Calls `take` with each line, and the title of its section: "fit[3] attempt 1".
void for_each_slot_line(const std::filesystem::path& log,
                        const std::function<void(const std::string& title, const std::string& line)>& take);

}  // namespace kernmill
