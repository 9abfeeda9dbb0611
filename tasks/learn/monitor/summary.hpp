#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace kernmill::tasks {

/// What a rank's time went into, in seconds. The rest is computing, so that they add up to all of it.
struct Shares {
  double compute = 0, communication = 0, input = 0, checkpoint = 0;
  [[nodiscard]] double all() const { return compute + communication + input + checkpoint; }
  Shares& operator+=(const Shares& more) {
    compute += more.compute;
    communication += more.communication;
    input += more.input;
    checkpoint += more.checkpoint;
    return *this;
  }
};

/// What there is to say of a training that has ended.
struct Training {
  std::vector<Shares> ranks;
  std::uint64_t rows = 0;        ///< gone over
  bool reads_again = false;      ///< the rows did not fit into the memory for them
  std::vector<double> losses{};  ///< by epoch; empty of a full-batch method
  bool stops_early = false;      ///< it looks at rows that are held out
  bool ended_short = false;      ///< a full-batch method came to its last iteration before it had converged
};

/// Where the time went, and, where the numbers support it, what to try: a sentence each.
std::vector<std::string> summary_of(const Training& training);

}  // namespace kernmill::tasks
