#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "kernmill/storage/error.hpp"

namespace kernmill::storage {

/// The secret that files are encrypted with: 256 bits, given as 32 bytes or as 64 hexadecimal digits. Its
/// memory is overwritten when it goes. No message ever has any of it, and a process that has read one leaves
/// no core file.
class Key {
 public:
  static constexpr std::size_t size = 32;

  /// Throws Error unless it is a regular file that belongs to this user, that nobody else may read or write.
  static Key from_file(const std::filesystem::path& file);
  /// The variable holds the 64 digits.
  static Key from_environment(const std::string& variable);
  explicit Key(std::span<const std::byte, size> bytes);
  ~Key();
  Key(const Key& other) = default;
  Key& operator=(const Key& other) = default;

  [[nodiscard]] std::span<const std::byte, size> bytes() const { return bytes_; }

 private:
  std::array<std::byte, size> bytes_{};
};

}  // namespace kernmill::storage
