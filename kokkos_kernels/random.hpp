#pragma once
#include <cstdint>

#include "kernmill/kernels/types.hpp"

/// Random numbers without state: a number is a function of what it is for, so that it does not matter who
/// draws it, when, or on how many ranks.
namespace kernmill::kernels {

struct Counter {
  std::uint32_t word[4];
};

/// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers, as easy as 1, 2, 3; SC11).
KOKKOS_INLINE_FUNCTION Counter philox(Counter counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32U);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ULL * counter.word[0], p1 = 0xCD9E8D57ULL * counter.word[2];
    const Counter next{
        {static_cast<std::uint32_t>(p1 >> 32U) ^ counter.word[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32U) ^ counter.word[3] ^ k1, static_cast<std::uint32_t>(p0)}};
    counter = next;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return counter;
}

/// 64 random bits for (seed, stream, index).
KOKKOS_INLINE_FUNCTION std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream,
                                                 std::uint64_t index) {
  const Counter drawn =
      philox({{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32U),
               static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32U)}},
             seed);
  return static_cast<std::uint64_t>(drawn.word[1]) << 32U | drawn.word[0];
}

/// Uniform in [0, 1), in steps of 2^-53.
KOKKOS_INLINE_FUNCTION double uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  return static_cast<double>(random_bits(seed, stream, index) >> 11U) * 0x1p-53;
}

/// values(i) = uniform in [-bound, bound) by (seed, stream, i).
template <class Space>
void fill_uniform(const Space& space, std::uint64_t seed, std::uint64_t stream, double bound,
                  Vector<Space> values) {
  Kokkos::parallel_for(
      "kernmill_fill_uniform", Range<Space>(space, 0, values.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { values(i) = bound * (2.0 * uniform(seed, stream, i) - 1.0); });
}

}  // namespace kernmill::kernels
