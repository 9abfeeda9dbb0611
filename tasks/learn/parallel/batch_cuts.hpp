#pragma once
#include <cstddef>
#include <cstdint>

namespace kernmill::tasks {

/// How sums over the ranks are made (ADR 0003).
enum class Summing {
  exact,  ///< pieces along one fixed tree: the same bits on any number of ranks
  fast    ///< each rank's rows at once, and in MPI's order while the backward pass goes on
};

/// Into how many equal pieces a batch is cut, whatever the number of ranks: a power of two, at most 16, that
/// leaves 8 rows or more in each, and 32 where the gradient of a piece is too large for a core's cache. More
/// ranks than pieces do not make it faster.
inline std::uint64_t micro_batches(std::uint64_t batch_size, std::uint64_t parameters) {
  constexpr std::uint64_t parameters_in_cache = 32'768;
  const std::uint64_t least = parameters > parameters_in_cache ? 32 : 8;
  std::uint64_t pieces = 1;
  while (pieces < 16 && batch_size / (2 * pieces) >= least) pieces *= 2;
  return pieces;
}

/// From so many elements on each rank gets a slice of an exact sum, and updates the parameters of it alone.
inline constexpr std::size_t long_gradient = 32'768;
/// Elements of a fast sum that are worth a message of their own while others are still computed.
inline constexpr std::size_t gradient_bucket = 262'144;

}  // namespace kernmill::tasks
