#include "kernmill/storage/file/crc32c.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kernmill::storage {
namespace {

std::vector<std::byte> noise(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<std::byte>(state >> 24U);
  }
  return bytes;
}

TEST(Crc32cWays, AgreeForEveryLength) {
  const auto bytes = noise(30000);
  const auto& ways = crc32c_ways();
  for (const std::size_t begin : {0, 1, 3, 8}) {
    const auto from = std::span<const std::byte>(bytes).subspan(begin);
    for (const std::size_t size :
         {0, 1, 7, 8, 9, 63, 255, 256, 257, 512, 767, 2048, 6143, 6144, 6145, 6152, 12288, 20001, 29000})
      for (const std::uint32_t before : {0U, 0x12345678U})
        for (std::size_t way = 1; way < ways.size(); ++way)
          EXPECT_EQ(ways[way](from.first(size), before), ways.front()(from.first(size), before))
              << size << " bytes from " << begin << ", way " << way;
  }
}

TEST(Crc32cJoined, OfTwoPiecesIsThatOfBothTogether) {
  const auto bytes = noise(70000);
  const std::span<const std::byte> all(bytes);
  for (const std::size_t cut : {0, 1, 2, 255, 256, 65536, 69999, 70000})
    EXPECT_EQ(crc32c_joined(crc32c(all.first(cut)), crc32c(all.subspan(cut)), all.size() - cut), crc32c(all))
        << cut;
}

}  // namespace
}  // namespace kernmill::storage
