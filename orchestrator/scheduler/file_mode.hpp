#pragma once

namespace kernmill {

/// Opens a log to append to. A new one is open to whom its directory is: 0600, or 0640 where the group may
/// read the directory. -1, and errno, when it cannot be opened. May be called between fork and exec.
int open_log(const char* file) noexcept;

}  // namespace kernmill
