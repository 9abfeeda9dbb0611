#pragma once
#include <cstdint>

#include "kernmill/kernels/random.hpp"

namespace kernmill::kernels {

/// A keyed shuffle of 0 .. size - 1 without memory: a Feistel network of six rounds over the next even number
/// of bits, walked until it lands below `size` (Black and Rogaway, Ciphers with arbitrary finite domains,
/// 2002). An epoch's order is its (seed, epoch) and nothing else. Any size up to 2^62.
class Permutation {
 public:
  KOKKOS_INLINE_FUNCTION Permutation(std::uint64_t size, std::uint64_t seed, std::uint64_t epoch)
      : size_(size), seed_(seed), epoch_(epoch) {
    while ((1ULL << (2U * half_bits_)) < size) ++half_bits_;
  }

  /// Where `position` goes: each number below size() exactly once.
  KOKKOS_INLINE_FUNCTION std::uint64_t operator()(std::uint64_t position) const {
    do {
      position = rounds(position);
    } while (position >= size_);
    return position;
  }
  [[nodiscard]] KOKKOS_INLINE_FUNCTION std::uint64_t size() const { return size_; }
  [[nodiscard]] KOKKOS_INLINE_FUNCTION unsigned half_bits() const { return half_bits_; }
  static constexpr std::uint64_t rounds_of_all = 6;
  /// What a round of the network makes of the right half.
  [[nodiscard]] KOKKOS_INLINE_FUNCTION std::uint64_t scrambled(std::uint64_t round,
                                                               std::uint64_t right) const {
    return random_bits(seed_, epoch_ << 3U | round, right) & ((1ULL << half_bits_) - 1);
  }

 private:
  KOKKOS_INLINE_FUNCTION std::uint64_t rounds(std::uint64_t value) const {
    const std::uint64_t mask = (1ULL << half_bits_) - 1;
    std::uint64_t left = value >> half_bits_, right = value & mask;
    for (std::uint64_t round = 0; round < rounds_of_all; ++round) {
      const std::uint64_t next = left ^ scrambled(round, right);
      left = right;
      right = next;
    }
    return left << half_bits_ | right;
  }

  std::uint64_t size_, seed_, epoch_;
  unsigned half_bits_ = 1;
};

}  // namespace kernmill::kernels
