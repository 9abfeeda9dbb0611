#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kernmill::tasks {

/// Eight characters as a number, the first in its lowest byte.
inline std::uint64_t eight_characters(const char* at) {
  std::uint64_t chunk = 0;
  std::memcpy(&chunk, at, sizeof(chunk));
  if constexpr (std::endian::native == std::endian::big) chunk = __builtin_bswap64(chunk);
  return chunk;
}

inline constexpr std::array<std::uint64_t, 9> whole_powers_of_ten{
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

/// The number that the first `count` of eight characters are, 8 at most, all of them digits; no loop (Lemire,
/// Number parsing at a gigabyte per second, 2021).
inline std::uint64_t first_digits(std::uint64_t characters, unsigned count) {
  constexpr std::uint64_t every = 0x0101010101010101, pairs = 0x000000FF000000FF;
  const unsigned shift = 32 - 4 * count;  // twice: zeros in front, or nothing but zeros
  std::uint64_t digits = (characters ^ (every * '0')) << shift << shift;
  digits = digits * 10 + (digits >> 8U);
  return ((digits & pairs) * (100 + (std::uint64_t{1'000'000} << 32U)) +
          ((digits >> 16U) & pairs) * (1 + (std::uint64_t{10'000} << 32U))) >>
         32U;
}

/// Digits from `at` on, behind those in `value`; returns where they end.
inline const char* take_digits(const char* at, const char* end, std::uint64_t& value) {
  constexpr std::uint64_t every = 0x0101010101010101;
  while (end - at >= 8) {
    const std::uint64_t characters = eight_characters(at), low = characters ^ (every * '0');
    const std::uint64_t others = (low | (low + every * 0x06)) & (every * 0xF0);
    const auto count = static_cast<unsigned>(std::countr_zero(others)) / 8;  // 64 where all are digits
    value = value * whole_powers_of_ten[count] + first_digits(characters, count);
    at += count;
    if (count < 8) return at;
  }
  for (; at != end && static_cast<unsigned char>(*at - '0') < 10; ++at)
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  return at;
}

#if defined(__SSE2__)
/// Which of 16 characters are no digits, the first in the lowest bit.
inline unsigned other_than_digits(const char* at) {
  const __m128i digits =
      _mm_sub_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)), _mm_set1_epi8('0'));
  const __m128i are = _mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits);
  return static_cast<unsigned>(_mm_movemask_epi8(are)) ^ 0xFFFFU;
}

/// How many characters short_decimal may look at.
inline constexpr std::ptrdiff_t readable_at_once = 32;

/// plain_decimal of up to 8 digits on each side of the point, of which it finds the ends at once: what
/// follows waits for that alone. Nullptr: somebody else has to look.
inline const char* short_decimal(const char* at, char point, double& value) {
  static constexpr std::array<double, 9> powers{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
  const bool negative = *at == '-';
  at += negative ? 1 : 0;
  unsigned others = other_than_digits(at);
  const auto whole = static_cast<unsigned>(std::countr_zero(others));  // 32 where there are none
  if (whole > 8) return nullptr;
  unsigned behind = 0, length = whole;
  if (at[whole] == point) {
    others &= others - 1;
    length = static_cast<unsigned>(std::countr_zero(others));
    behind = length - whole - 1;
    if (behind > 8) return nullptr;
  }
  if (whole + behind == 0 || whole + behind > 15) return nullptr;  // 15 digits are an exact double
  const std::uint64_t digits = first_digits(eight_characters(at), whole) * whole_powers_of_ten[behind] +
                               first_digits(eight_characters(at + whole + 1), behind);
  const double magnitude = static_cast<double>(static_cast<std::int64_t>(digits)) / powers[behind];
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(magnitude) |
                                (std::uint64_t{negative ? 1U : 0U} << 63U));
  return at + length;
}
#endif

/// A decimal number without an exponent from `at` on. Exact where the digits are an exact double and so is
/// the power of ten: then one division rounds correctly (Clinger, How to read floating point numbers
/// accurately, 1990). Returns where it ends; nullptr where this does not hold, or there is no number.
inline const char* plain_decimal(const char* at, const char* end, char point, double& value) {
  constexpr std::uint64_t exact_integers = std::uint64_t{1} << 53U;
  constexpr std::ptrdiff_t most_digits = 19;  // fit into 64 bits
  static constexpr std::array<double, 20> powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                                 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
#if defined(__SSE2__)
  if (end - at >= readable_at_once)
    if (const char* const behind = short_decimal(at, point, value)) return behind;
#endif
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
