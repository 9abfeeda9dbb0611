#include "kernmill/storage/crc32c.hpp"

#include <array>
#include <cstring>

namespace kernmill::storage {
namespace {

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    tables[0][i] = crc;
  }
  for (std::uint32_t i = 0; i < 256; ++i)
    for (std::size_t t = 1; t < 8; ++t)
      tables[t][i] = (tables[t - 1][i] >> 8U) ^ tables[0][tables[t - 1][i] & 0xFFU];
  return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

// Eight bytes a step ("slicing by 8", Kounavis and Berry 2005).
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
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

}  // namespace kernmill::storage
