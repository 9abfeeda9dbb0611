#include "kernmill/tasks/data/prepare/exact_sum.hpp"

#include <bit>
#include <cmath>

namespace kernmill::tasks {
namespace {

constexpr int digit_bits = 32;
constexpr std::int64_t base = std::int64_t{1} << digit_bits;
constexpr int lowest_exponent = -1074;  // of the bit of digit 0
constexpr std::uint32_t adds_before_carry = std::uint32_t{1} << 30;

/// Digits in [0, base), the sign in the highest.
void normalise(ExactSum::Digits& digits) {
  std::int64_t carry = 0;
  for (std::size_t i = 0; i + 1 < digits.size(); ++i) {
    const std::int64_t with_carry = digits[i] + carry;
    carry = with_carry >> digit_bits;  // rounds down, also below zero
    digits[i] = with_carry - carry * base;
  }
  digits.back() += carry;
}

}  // namespace

void ExactSum::add(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto exponent = static_cast<unsigned>((bits >> 52U) & 0x7FFU);
  std::uint64_t mantissa = bits & ((std::uint64_t{1} << 52U) - 1);
  if (exponent != 0) mantissa |= std::uint64_t{1} << 52U;
  const unsigned shift = exponent == 0 ? 0 : exponent - 1;  // mantissa * 2^(shift - 1074)
  const std::size_t digit = shift / digit_bits;
  const unsigned within = shift % digit_bits;
  const std::int64_t sign = (bits >> 63U) != 0 ? -1 : 1;
  const std::uint64_t low = (mantissa & 0xFFFFFFFFU) << within, high = (mantissa >> 32U) << within;
  digits_[digit] += sign * static_cast<std::int64_t>(low & 0xFFFFFFFFU);
  digits_[digit + 1] += sign * static_cast<std::int64_t>((low >> 32U) + (high & 0xFFFFFFFFU));
  digits_[digit + 2] += sign * static_cast<std::int64_t>(high >> 32U);
  if (++added_ == adds_before_carry) carry();
}

void ExactSum::carry() {
  normalise(digits_);
  added_ = 0;
}

std::span<std::int64_t> ExactSum::digits() {
  carry();
  return digits_;
}

double ExactSum::value() const {
  Digits digits = digits_;
  normalise(digits);
  const bool negative = digits.back() < 0;
  if (negative) {
    for (auto& digit : digits) digit = -digit;
    normalise(digits);
  }
  // The three highest digits hold more bits than a double; what is below only decides which way a tie goes.
  std::size_t top = digits.size() - 1;
  while (top > 0 && digits[top] == 0) --top;
  bool below = false;
  for (std::size_t i = 0; i + 3 <= top; ++i) below = below || digits[i] != 0;
  const auto digit = [&](std::size_t back) {
    return back <= top ? static_cast<unsigned __int128>(digits[top - back]) : 0;
  };
  unsigned __int128 all = (digit(0) << 64U) | (digit(1) << 32U) | digit(2);
  int exponent = lowest_exponent + digit_bits * (static_cast<int>(top) - 2);
  // Down to 64 bits with a sticky last bit, which the conversion then rounds correctly.
  while ((all >> 64U) != 0) {
    below = below || (all & 1U) != 0;
    all >>= 1U;
    ++exponent;
  }
  const std::uint64_t leading = static_cast<std::uint64_t>(all) | (below ? 1U : 0U);
  const double magnitude = std::ldexp(static_cast<double>(leading), exponent);
  return negative ? -magnitude : magnitude;
}

}  // namespace kernmill::tasks
