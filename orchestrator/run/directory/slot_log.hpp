#pragma once
#include <string>
#include <string_view>

namespace kernmill {

/// The logs of a slot hold what its instances wrote, one after another. Each has a line before it that begins
/// with a mark of this log alone: what an instance prints of others' data cannot look like the lines of
/// another.

/// The first line of such a log, with its end; `token` is drawn by lot.
std::string slot_log_head(const std::string& token);

/// What the line before each instance's begins with, by the first line of the log. Logs of earlier versions
/// have
/// "==> ".
std::string section_mark(std::string_view first_line);

}  // namespace kernmill
