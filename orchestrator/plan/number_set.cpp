#include "kernmill/plan/number_set.hpp"

#include <algorithm>
#include <bit>

namespace kernmill {
namespace {

std::uint64_t bit(std::uint32_t number) {
  return std::uint64_t{1} << (number % 64);
}

}  // namespace

NumberSet::NumberSet(std::uint32_t size) {
  std::uint64_t words = size;
  do {
    words = (words + 63) / 64;
    levels_.emplace_back(std::max<std::uint64_t>(words, 1), 0);
  } while (words > 1);
}

void NumberSet::insert(std::uint32_t number) {
  for (auto& level : levels_) {
    level[number / 64] |= bit(number);
    number /= 64;
  }
}

void NumberSet::erase(std::uint32_t number) {
  for (auto& level : levels_) {
    level[number / 64] &= ~bit(number);
    if (level[number / 64] != 0) return;
    number /= 64;
  }
}

bool NumberSet::empty() const {
  return levels_.back()[0] == 0;
}

std::optional<std::uint32_t> NumberSet::smallest() const {
  if (empty()) return {};
  std::uint32_t number = 0;
  for (std::size_t level = levels_.size(); level-- > 0;)
    number = number * 64 + static_cast<std::uint32_t>(std::countr_zero(levels_[level][number]));
  return number;
}

}  // namespace kernmill
