#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "kernmill/storage/sealed/key.hpp"

namespace kernmill::storage {

/// Encrypts what a program keeps on disk for itself while it runs: AES-256 in counter mode, under a key that
/// is derived from the user's and a salt of its own. It has no tags: it hides the bytes, and does not prove
/// that they are what they were. Nobody can decrypt them once the salt is gone.
class ScratchCipher {
 public:
  using Salt = std::array<std::byte, 32>;

  explicit ScratchCipher(const Key& key);
  /// For a rank that shares the file.
  ScratchCipher(const Key& key, const Salt& salt);
  ~ScratchCipher();
  ScratchCipher(ScratchCipher&& other) noexcept;
  ScratchCipher& operator=(ScratchCipher&& other) noexcept;
  ScratchCipher(const ScratchCipher&) = delete;
  ScratchCipher& operator=(const ScratchCipher&) = delete;

  /// Encrypts, or decrypts, in place the bytes that lie from `offset` on. A byte of the file is written once
  /// in each generation: two that are encrypted alike would tell their difference.
  void apply(std::uint32_t generation, std::uint64_t offset, std::span<std::byte> bytes) const;
  [[nodiscard]] const Salt& salt() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kernmill::storage
