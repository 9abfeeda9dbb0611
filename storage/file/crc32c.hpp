#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace kernmill::storage {

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, B.4). `before` continues an earlier piece:
/// crc32c(ab) == crc32c(b, crc32c(a)). Uses what instructions the processor has.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

template <class T>
std::uint32_t crc32c(std::span<const T> values) {
  return crc32c(std::as_bytes(values));
}

/// crc32c(ab) from crc32c(a), crc32c(b) and the length of b: pieces that different ranks have written.
std::uint32_t crc32c_joined(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b);

using Crc32c = std::uint32_t (*)(std::span<const std::byte> bytes, std::uint32_t before);
/// Every way of this processor to compute it, from the portable one to the fastest; tests compare them.
const std::vector<Crc32c>& crc32c_ways();

}  // namespace kernmill::storage
