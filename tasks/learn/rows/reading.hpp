#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace kernmill::tasks {

/// What training has read so far, and how long it waited for that. What is read ahead in time costs nothing.
struct Reading {
  std::uint64_t bytes = 0;
  double seconds = 0;
  bool again =
      false;  ///< the same rows are read at each iteration: they did not fit into the memory for them
};

/// What to say of reading that holds training up: for two seconds at least, and half of the time until now.
std::optional<std::string> complaint_about(const Reading& reading, double seconds_since_begin);

}  // namespace kernmill::tasks
