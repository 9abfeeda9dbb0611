#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace kernmill::storage {

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, B.4). `before` continues an earlier piece:
/// crc32c(ab) == crc32c(b, crc32c(a)).
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

template <class T>
std::uint32_t crc32c(std::span<const T> values) {
  return crc32c(std::as_bytes(values));
}

}  // namespace kernmill::storage
