#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

/// Private to storage/.
namespace kernmill::storage {

using Digest = std::array<std::byte, 32>;

/// SHA-256 (FIPS 180-4) of what is added, in order.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> bytes);
  [[nodiscard]] Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest sha256(std::span<const std::byte> bytes);
std::string hexadecimal(std::span<const std::byte> bytes);

}  // namespace kernmill::storage
