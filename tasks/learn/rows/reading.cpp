#include "kernmill/tasks/learn/rows/reading.hpp"

#include <fmt/format.h>

namespace kernmill::tasks {

std::optional<std::string> complaint_about(const Reading& reading, double seconds_since_begin) {
  constexpr double noticeable = 2, share = 0.5;
  if (reading.seconds < noticeable || reading.seconds < share * seconds_since_begin) return std::nullopt;
  return fmt::format(
      "training waited for data {:.1f} of its first {:.1f} s: a rank reads {:.3g} MB/s. Put the runs on a "
      "faster file system (--runs DIR), or let fewer ranks share this one{}",
      reading.seconds, seconds_since_begin, static_cast<double>(reading.bytes) / 1e6 / reading.seconds,
      reading.again ? ", or give the training more memory (cache: 16G), so that it reads its rows once" : "");
}

}  // namespace kernmill::tasks
