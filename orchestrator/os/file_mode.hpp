#pragma once
#include <optional>

#include <sys/types.h>

/// Files are open to whom their directory is.
namespace kernmill {

/// 0600, or 0640 in a directory that the group may read. Nothing, and errno, when it cannot be looked at.
std::optional<mode_t> mode_of_files_in(const char* directory) noexcept;

/// Opens a log to append to; a new one gets that mode. -1, and errno, when it cannot be opened. May be called
/// between fork and exec.
int open_log(const char* file) noexcept;

}  // namespace kernmill
