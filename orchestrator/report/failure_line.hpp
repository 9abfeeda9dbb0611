#pragma once
#include <cstddef>
#include <string>

namespace kernmill {

/// Why an attempt failed, on one line for a terminal. Where not all of the message finds room, its first line
/// and its last: a traceback ends with what went wrong. Empty for an empty message.
std::string failure_line(const std::string& message, std::size_t longest = 160);

}  // namespace kernmill
