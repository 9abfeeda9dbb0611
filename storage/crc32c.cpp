#include "kernmill/storage/crc32c.hpp"

#include <array>
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
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

// x^(8 * bytes): what appending so many bytes multiplies a CRC by.
constexpr std::uint32_t shift_by(std::uint64_t bytes) {
  std::uint32_t power = 1U << 23U, result = 1U << 31U;  // x^8 and x^0
  for (; bytes != 0; bytes >>= 1U) {
    if ((bytes & 1U) != 0) result = product(power, result);
    power = product(power, power);
  }
  return result;
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

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

}  // namespace

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

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
#if defined(__x86_64__)
  if (has_instruction) return crc32c_by_instruction(bytes, before);
#endif
  return crc32c_portable(bytes, before);
}

std::uint32_t crc32c_joined(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b) {
  return product(shift_by(length_of_b), a) ^ b;
}

}  // namespace kernmill::storage
