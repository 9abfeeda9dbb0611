#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "kernmill/storage/sealed/key.hpp"

/// Private to storage/: AES-256-GCM with what newer x86 processors have for it (VAES), which OpenSSL 3.0 does
/// not use. Reading alone takes it; OpenSSL does everything else, and this too where there is none.
namespace kernmill::storage {

/// One key. Threads may share it.
class FastGcm {
 public:
  /// Nothing where the build or the processor has none.
  static std::shared_ptr<const FastGcm> of(const Key& key);
  ~FastGcm();
  FastGcm(const FastGcm&) = delete;
  FastGcm& operator=(const FastGcm&) = delete;

  /// Decrypts in place; gives the tag that what was encrypted has to have.
  [[nodiscard]] std::array<std::byte, 16> decrypt(const std::array<unsigned char, 12>& nonce,
                                                  std::span<const std::byte> about,
                                                  std::span<std::byte> bytes) const;

 private:
  struct Expanded;
  explicit FastGcm(std::unique_ptr<Expanded> key);
  std::unique_ptr<Expanded> key_;
};

}  // namespace kernmill::storage
