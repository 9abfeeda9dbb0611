#include "kernmill/storage/sealed/scratch_cipher.hpp"

#include <algorithm>

#include "kernmill/storage/sealed/cipher.hpp"

namespace kernmill::storage {
namespace {

constexpr unsigned unit_bits = 30;  // a nonce's worth: its AES blocks are counted in 32 bits

}  // namespace

struct ScratchCipher::Impl {
  FileCipher file;
  TableCipher cipher;

  explicit Impl(FileCipher keys) : file(std::move(keys)), cipher(file.table("scratch", 0)) {}
};

ScratchCipher::ScratchCipher(const Key& key) : impl_(std::make_unique<Impl>(FileCipher(key))) {}
ScratchCipher::ScratchCipher(const Key& key, const Salt& salt)
    : impl_(std::make_unique<Impl>(FileCipher(key, salt))) {}
ScratchCipher::~ScratchCipher() = default;
ScratchCipher::ScratchCipher(ScratchCipher&& other) noexcept = default;
ScratchCipher& ScratchCipher::operator=(ScratchCipher&& other) noexcept = default;

const ScratchCipher::Salt& ScratchCipher::salt() const {
  return impl_->file.salt();
}

void ScratchCipher::apply(std::uint32_t generation, std::uint64_t offset, std::span<std::byte> bytes) const {
  constexpr std::uint64_t unit_bytes = std::uint64_t{1} << unit_bits;
  while (!bytes.empty()) {
    const std::uint64_t unit = offset >> unit_bits, within = offset % unit_bytes;
    const auto piece = bytes.first(std::min<std::uint64_t>(bytes.size(), unit_bytes - within));
    impl_->cipher.apply(std::uint64_t{generation} << 32U | unit, within, piece);
    bytes = bytes.subspan(piece.size());
    offset += piece.size();
  }
}

}  // namespace kernmill::storage
