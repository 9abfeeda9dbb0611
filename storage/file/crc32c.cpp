#include "kernmill/storage/file/crc32c.hpp"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kernmill::storage {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78U;
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? polynomial : 0U);
    tables[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i)
    for (std::size_t t = 1; t < 8; ++t)
      tables[t][i] = (tables[t - 1][i] >> 8U) ^ tables[0][tables[t - 1][i] & 0xFFU];
  return tables;
}

constexpr Tables tables = make_tables();

// The product of two polynomials over GF(2), modulo the CRC's; bit 31 is the coefficient of x^0.
constexpr std::uint32_t product(std::uint32_t a, std::uint32_t b) {
  std::uint32_t sum = 0;
  for (std::uint32_t bit = 1U << 31U; bit != 0; bit >>= 1U) {
    if ((a & bit) != 0) sum ^= b;
    b = (b >> 1U) ^ ((b & 1U) != 0 ? polynomial : 0U);
  }
  return sum;
}

constexpr std::uint32_t x_to_the(std::uint64_t exponent) {
  std::uint32_t power = 1U << 30U, result = 1U << 31U;  // x^1 and x^0
  for (; exponent != 0; exponent >>= 1U) {
    if ((exponent & 1U) != 0) result = product(power, result);
    power = product(power, power);
  }
  return result;
}

// What appending so many bytes multiplies a CRC by.
constexpr std::uint32_t shift_by(std::uint64_t bytes) {
  return x_to_the(8 * bytes);
}

// Eight bytes a step ("slicing by 8", Kounavis and Berry 2005).
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  while (bytes.size() >= 8) {
    std::array<std::uint8_t, 8> b{};
    std::memcpy(b.data(), bytes.data(), 8);
    crc = tables[7][b[0] ^ (crc & 0xFFU)] ^ tables[6][b[1] ^ ((crc >> 8U) & 0xFFU)] ^
          tables[5][b[2] ^ ((crc >> 16U) & 0xFFU)] ^ tables[4][b[3] ^ (crc >> 24U)] ^ tables[3][b[4]] ^
          tables[2][b[5]] ^ tables[1][b[6]] ^ tables[0][b[7]];
    bytes = bytes.subspan(8);
  }
  for (const std::byte byte : bytes)
    crc = (crc >> 8U) ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
  return ~crc;
}

#if defined(__x86_64__)

constexpr std::size_t lane = 2048;  // bytes; each lane's CRC hides the latency of the others'
constexpr std::uint32_t one_lane = shift_by(lane), two_lanes = shift_by(2 * lane);

[[gnu::target("sse4.2")]] std::uint64_t step(std::uint64_t crc, const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return _mm_crc32_u64(crc, word);
}

[[gnu::target("sse4.2")]] std::uint32_t crc32c_by_instruction(std::span<const std::byte> bytes,
                                                              std::uint32_t before) {
  std::uint64_t crc = ~before;
  while (bytes.size() >= 3 * lane) {
    std::uint64_t second = 0, third = 0;
    const std::byte* at = bytes.data();
    for (std::size_t i = 0; i < lane; i += 8) {
      crc = step(crc, at + i);
      second = step(second, at + lane + i);
      third = step(third, at + 2 * lane + i);
    }
    crc = product(two_lanes, static_cast<std::uint32_t>(crc)) ^
          product(one_lane, static_cast<std::uint32_t>(second)) ^ static_cast<std::uint32_t>(third);
    bytes = bytes.subspan(3 * lane);
  }
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) crc = step(crc, bytes.data());
  auto rest = static_cast<std::uint32_t>(crc);
  for (const std::byte byte : bytes) rest = _mm_crc32_u8(rest, std::to_integer<std::uint8_t>(byte));
  return ~rest;
}

// Folding ("Fast CRC computation for generic polynomials using PCLMULQDQ instruction", Gopal et al. 2009): a
// lane of 128 bits that is multiplied by x^n, modulo the polynomial, may be added to the one n bits behind
// it. Carry-less products of reflected numbers are one bit short, so the exponents are one less.
constexpr std::uint64_t factor(std::uint64_t exponent) {
  return std::uint64_t{x_to_the(exponent - 1)} << 32U;
}

[[gnu::target("avx512f,vpclmulqdq")]] inline __m512i folded(__m512i lanes, __m512i factors, __m512i behind) {
  const __m512i first = _mm512_clmulepi64_epi128(lanes, factors, 0x00);
  const __m512i second = _mm512_clmulepi64_epi128(lanes, factors, 0x11);
  return _mm512_ternarylogic_epi64(first, second, behind, 0x96);  // the sum of all three
}

template <std::uint64_t bits>
[[gnu::target("avx512f,vpclmulqdq")]] inline __m512i factors_over_bits() {
  constexpr auto far = static_cast<long long>(factor(bits + 64)), near = static_cast<long long>(factor(bits));
  return _mm512_set4_epi64(near, far, near, far);
}

constexpr std::size_t fold_bytes = 256;  // four registers hide each other's latency

// Whole pieces of fold_bytes become 64 bytes that leave the same remainder.
[[gnu::target("avx512f,vpclmulqdq")]] std::uint32_t crc32c_by_folding(std::span<const std::byte> bytes,
                                                                      std::uint32_t before) {
  const std::byte *at = bytes.data(), *end = at + bytes.size() / fold_bytes * fold_bytes;
  if (at == end) return crc32c_by_instruction(bytes, before);
  const __m512i over_all = factors_over_bits<8 * fold_bytes>(), over_one = factors_over_bits<512>();
  __m512i a = _mm512_xor_si512(_mm512_loadu_si512(at),
                               _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~before))));
  __m512i b = _mm512_loadu_si512(at + 64), c = _mm512_loadu_si512(at + 128), d = _mm512_loadu_si512(at + 192);
  for (at += fold_bytes; at != end; at += fold_bytes) {
    a = folded(a, over_all, _mm512_loadu_si512(at));
    b = folded(b, over_all, _mm512_loadu_si512(at + 64));
    c = folded(c, over_all, _mm512_loadu_si512(at + 128));
    d = folded(d, over_all, _mm512_loadu_si512(at + 192));
  }
  d = folded(folded(folded(a, over_one, b), over_one, c), over_one, d);
  std::array<std::byte, 64> left{};
  _mm512_storeu_si512(left.data(), d);
  return crc32c_by_instruction({end, bytes.data() + bytes.size()}, crc32c_by_instruction(left, ~0U));
}

#endif

std::vector<Crc32c> ways() {
  std::vector<Crc32c> ways{crc32c_portable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0) ways.push_back(crc32c_by_instruction);
  if (__builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("avx512f") != 0 &&
      __builtin_cpu_supports("vpclmulqdq") != 0)
    ways.push_back(crc32c_by_folding);
#endif
  return ways;
}

}  // namespace

const std::vector<Crc32c>& crc32c_ways() {
  static const std::vector<Crc32c> known = ways();
  return known;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  static const Crc32c best = crc32c_ways().back();
  return best(bytes, before);
}

std::uint32_t crc32c_joined(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b) {
  return product(shift_by(length_of_b), a) ^ b;
}

}  // namespace kernmill::storage
