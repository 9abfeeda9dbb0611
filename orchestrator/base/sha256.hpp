#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace kernmill {

using Digest = std::array<std::byte, 32>;

/// SHA-256 (FIPS 180-4) of what is added, in order. Throws std::runtime_error when OpenSSL cannot compute it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> bytes);
  /// Once, at the end.
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 of these bytes.
Digest digest_of(std::span<const std::byte> bytes);

/// Two lower-case hex digits for each byte.
std::string hexadecimal(std::span<const std::byte> bytes);

/// SHA-256 of a text, in 64 hex digits.
std::string sha256(std::string_view text);

}  // namespace kernmill
