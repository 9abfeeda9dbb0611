#pragma once
#include <cstdint>
#include <optional>
#include <span>

/// Private to storage/ and tasks/: sizes that a file claims. No product of them wraps.
namespace kernmill::storage {

/// Nothing when 64 bits do not hold it.
inline std::optional<std::uint64_t> checked_product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::nullopt : std::optional(product);
}

/// That of a shape with elements of `size` bytes. An extent of 0 hides no other that is vast.
inline std::optional<std::uint64_t> checked_bytes(std::span<const std::uint64_t> shape, std::uint64_t size) {
  std::optional<std::uint64_t> largest = size;
  bool empty = false;
  for (const std::uint64_t extent : shape) {
    empty = empty || extent == 0;
    largest = checked_product(*largest, extent == 0 ? 1 : extent);
    if (!largest) return std::nullopt;
  }
  return empty ? 0 : *largest;
}

}  // namespace kernmill::storage
