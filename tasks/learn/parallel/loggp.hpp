#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace kernmill::tasks {

/// What messages cost between two ranks, in seconds: LogGP (Alexandrov, Ionescu, Schauser and Scheiman,
/// 1995).
struct Link {
  double latency = 0;   ///< L: a message is on its way so long
  double overhead = 0;  ///< o: what a processor has to do with it, at each end
  double gap = 0;       ///< g: from one message of a rank to its next
  double byte = 0;      ///< G: from one byte of a message to its next

  /// From the beginning of its sending until it is there.
  [[nodiscard]] double message(double bytes) const { return latency + 2 * overhead + bytes * byte; }
  friend bool operator==(const Link&, const Link&) = default;
};

// What MPI's collective operations cost when each uses the algorithm that MPICH takes (Thakur, Rabenseifner
// and Gropp, 2005). Adding values up is left out; of a sum whose order matters, the caller adds it. One rank
// alone needs no time.

/// Rounds in which a number of ranks is doubled up to all of them.
inline double doublings(std::uint64_t ranks) {
  return static_cast<double>(std::bit_width(ranks - 1));
}

/// Everybody's part to everybody, `bytes` in all. A short one goes in log2 rounds (recursive doubling,
/// Bruck), a long one around a ring; each rank receives what the others have either way.
inline double allgather(const Link& link, std::uint64_t ranks, double bytes) {
  constexpr double long_message = 524'288;
  if (ranks == 1) return 0;
  const auto others = static_cast<double>(ranks - 1);
  const double rounds = bytes < long_message ? doublings(ranks) : others;
  return rounds * link.message(0) + bytes * others / static_cast<double>(ranks) * link.byte;
}

/// A message of each rank for each other one, all on their way at once. `bytes` are the more of what a rank
/// has for all, itself included, and gets from all.
inline double alltoall(const Link& link, std::uint64_t ranks, double bytes) {
  if (ranks == 1) return 0;
  const auto others = static_cast<double>(ranks - 1);
  return link.message(bytes * others / static_cast<double>(ranks)) +
         (others - 1) * std::max(link.gap, link.overhead);
}

/// The sum of everybody's `bytes`. A short one by recursive doubling; a long one is scattered in parts, which
/// are then gathered (Rabenseifner).
inline double allreduce(const Link& link, std::uint64_t ranks, double bytes) {
  constexpr double short_message = 2048;
  if (ranks == 1) return 0;
  if (bytes <= short_message) return doublings(ranks) * link.message(bytes);
  const auto others = static_cast<double>(ranks - 1);
  return 2 * (doublings(ranks) * link.message(0) + bytes * others / static_cast<double>(ranks) * link.byte);
}

}  // namespace kernmill::tasks
