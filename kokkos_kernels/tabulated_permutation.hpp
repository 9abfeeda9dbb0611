#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/kernels/permutation.hpp"

namespace kernmill::kernels {

/// A Permutation that many positions are asked of, on the host: what a round makes of each half is looked up.
/// It goes where that one goes.
class TabulatedPermutation {
 public:
  TabulatedPermutation(std::uint64_t size, std::uint64_t seed, std::uint64_t epoch)
      : permutation_(size, seed, epoch) {
    constexpr unsigned most_half_bits = 16;  // tables of 1.5 MiB
    if (permutation_.half_bits() > most_half_bits) return;
    const std::uint64_t half = 1ULL << permutation_.half_bits();
    rounds_.resize(Permutation::rounds_of_all * half);
    for (std::uint64_t round = 0; round < Permutation::rounds_of_all; ++round)
      for (std::uint64_t right = 0; right < half; ++right)
        rounds_[round * half + right] = static_cast<std::uint32_t>(permutation_.scrambled(round, right));
  }

  std::uint64_t operator()(std::uint64_t position) const {
    if (rounds_.empty()) return permutation_(position);
    const unsigned bits = permutation_.half_bits();
    const std::uint64_t half = 1ULL << bits;
    do {
      std::uint64_t left = position >> bits, right = position & (half - 1);
      for (const std::uint32_t *round = rounds_.data(), *end = round + rounds_.size(); round != end;
           round += half) {
        const std::uint64_t next = left ^ round[right];
        left = right;
        right = next;
      }
      position = left << bits | right;
    } while (position >= permutation_.size());
    return position;
  }
  [[nodiscard]] std::uint64_t size() const { return permutation_.size(); }

 private:
  Permutation permutation_;
  std::vector<std::uint32_t> rounds_;  ///< by round, then half; none where they would be too large
};

}  // namespace kernmill::kernels
