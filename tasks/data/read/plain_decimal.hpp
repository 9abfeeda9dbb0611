#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace kernmill::tasks {

/// Eight characters as a number, the first in its lowest byte.
inline std::uint64_t eight_characters(const char* at) {
  std::uint64_t chunk = 0;
  std::memcpy(&chunk, at, sizeof(chunk));
  if constexpr (std::endian::native == std::endian::big) chunk = __builtin_bswap64(chunk);
  return chunk;
}

/// Digits from `at` on, behind those in `value`; returns where they end. Eight at a time: how many of eight
/// characters are digits, and their value, take no loop (Lemire, Number parsing at a gigabyte per second,
/// 2021).
inline const char* take_digits(const char* at, const char* end, std::uint64_t& value) {
  static constexpr std::array<std::uint64_t, 9> powers{1,       10,        100,        1'000,      10'000,
                                                       100'000, 1'000'000, 10'000'000, 100'000'000};
  constexpr std::uint64_t every = 0x0101010101010101;
  while (end - at >= 8) {
    const std::uint64_t chunk = eight_characters(at) ^ (every * '0');
    const std::uint64_t others = (chunk | (chunk + every * 0x06)) & (every * 0xF0);
    const auto count = static_cast<unsigned>(std::countr_zero(others)) / 8;  // 64 where all are digits
    if (count == 0) return at;
    std::uint64_t digits = chunk << (64 - 8 * count);  // zeros in front
    digits = digits * 10 + (digits >> 8U);
    constexpr std::uint64_t pairs = 0x000000FF000000FF;
    const std::uint64_t eight = ((digits & pairs) * (100 + (std::uint64_t{1'000'000} << 32U)) +
                                 ((digits >> 16U) & pairs) * (1 + (std::uint64_t{10'000} << 32U))) >>
                                32U;
    value = value * powers[count] + eight;
    at += count;
    if (count < 8) return at;
  }
  for (; at != end && static_cast<unsigned char>(*at - '0') < 10; ++at)
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  return at;
}

/// A decimal number without an exponent from `at` on. Exact where the digits are an exact double and so is
/// the power of ten: then one division rounds correctly (Clinger, How to read floating point numbers
/// accurately, 1990). Returns where it ends; nullptr where this does not hold, or there is no number.
inline const char* plain_decimal(const char* at, const char* end, char point, double& value) {
  constexpr std::uint64_t exact_integers = std::uint64_t{1} << 53U;
  constexpr std::ptrdiff_t most_digits = 19;  // fit into 64 bits
  static constexpr std::array<double, 20> powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  const bool negative = at != end && *at == '-';
  const char* const first = at + (negative ? 1 : 0);
  std::uint64_t digits = 0;
  at = take_digits(first, end, digits);
  std::ptrdiff_t count = at - first, behind_point = 0;
  if (at != end && *at == point) {
    const char* const fraction = ++at;
    at = take_digits(fraction, end, digits);
    behind_point = at - fraction;
    count += behind_point;
  }
  if (count == 0 || count > most_digits || digits > exact_integers) return nullptr;
  const auto whole = static_cast<double>(digits);
  const double magnitude = behind_point == 0 ? whole : whole / powers[static_cast<std::size_t>(behind_point)];
  value = negative ? -magnitude : magnitude;
  return at;
}

}  // namespace kernmill::tasks
