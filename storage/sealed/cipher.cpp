#include "kernmill/storage/sealed/cipher.hpp"

#include <algorithm>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

namespace kernmill::storage {
namespace {

constexpr std::uint64_t aes_block = 16;
using Nonce = std::array<unsigned char, 12>;

template <class T, void (*destroy)(T*)>
struct Deleter {
  void operator()(T* object) const { destroy(object); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;
using Kdf = std::unique_ptr<EVP_KDF, Deleter<EVP_KDF, EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Deleter<EVP_KDF_CTX, EVP_KDF_CTX_free>>;

void require(bool ok, const char* what) {
  if (!ok) throw Error(std::string("OpenSSL cannot ") + what + "; is its default provider disabled?");
}

unsigned char* bytes_of(std::byte* data) {
  return reinterpret_cast<unsigned char*>(data);
}
const unsigned char* bytes_of(const std::byte* data) {
  return reinterpret_cast<const unsigned char*>(data);
}
const unsigned char* bytes_of(const Key& key) {
  return bytes_of(key.bytes().data());
}

void append(std::vector<std::byte>& to, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<std::byte>(number >> shift));
}

/// Into the associated data of a table's blocks.
void set_block(std::vector<std::byte>& about, std::uint64_t block) {
  for (std::size_t i = 0; i < 8; ++i)
    about[sizeof(Salt) + 8 + i] = static_cast<std::byte>(block >> (56 - 8 * i));
}

Nonce nonce_of(std::uint64_t block) {
  Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) nonce[11 - i] = static_cast<unsigned char>(block >> (8 * i));
  return nonce;
}

/// HKDF-SHA256 of the user's key; `purpose` tells the derived keys apart.
void derive(const Key& key, const Salt& salt, std::string purpose, std::span<std::byte> out) {
  const Kdf kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  require(kdf != nullptr, "derive a key");
  const KdfContext context(EVP_KDF_CTX_new(kdf.get()));
  std::string digest = "SHA256";
  const std::array params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<std::byte*>(key.bytes().data()),
                                        Key::size),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<std::byte*>(salt.data()),
                                        salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, purpose.data(), purpose.size()),
      OSSL_PARAM_construct_end()};
  require(context != nullptr &&
              EVP_KDF_derive(context.get(), bytes_of(out.data()), out.size(), params.data()) == 1,
          "derive a key");
}

CipherContext context_of(const EVP_CIPHER* cipher, const Key& key, const unsigned char* iv, bool encrypts) {
  CipherContext context(EVP_CIPHER_CTX_new());
  require(context != nullptr &&
              EVP_CipherInit_ex(context.get(), cipher, nullptr, bytes_of(key), iv, encrypts ? 1 : 0) == 1,
          "start AES-256");
  return context;
}

void update(EVP_CIPHER_CTX* context, const std::byte* in, std::size_t size, std::byte* out) {
  int done = 0;
  require(EVP_CipherUpdate(context, out == nullptr ? nullptr : bytes_of(out), &done, bytes_of(in),
                           static_cast<int>(size)) == 1,
          "run AES-256");
}

/// Decrypts in place, with the key of the context.
bool opens(EVP_CIPHER_CTX* context, const Nonce& nonce, std::span<const std::byte> about,
           std::span<std::byte> bytes, Tag tag) {
  require(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), -1) == 1, "start AES-256");
  update(context, about.data(), about.size(), nullptr);
  update(context, bytes.data(), bytes.size(), bytes.data());
  require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1, "check a tag");
  int done = 0;
  return EVP_CipherFinal_ex(context, bytes_of(bytes.data()), &done) == 1;
}

}  // namespace

TableCipher::TableCipher(const Key& table_key, const Salt& salt, const std::string& name, std::uint64_t bytes)
    : key_(table_key), about_(salt.begin(), salt.end()), fast_(FastGcm::of(table_key)) {
  append(about_, bytes);
  append(about_, 0);  // where the block's number goes
  const auto text = std::as_bytes(std::span(name));
  about_.insert(about_.end(), text.begin(), text.end());
}

std::vector<std::byte> TableCipher::associated_data(std::uint64_t block) const {
  std::vector<std::byte> data = about_;
  set_block(data, block);
  return data;
}

// GCM counts its AES blocks in the last four bytes of the counter, from 2 (1 is the tag's). A table's block
// is far too short for them to overflow, so this is plain counter mode.
void TableCipher::apply(std::uint64_t block, std::uint64_t offset, std::span<std::byte> piece) const {
  std::array<unsigned char, aes_block> counter{};
  const Nonce nonce = nonce_of(block);
  std::copy(nonce.begin(), nonce.end(), counter.begin());
  const auto first = static_cast<std::uint32_t>(2 + offset / aes_block);
  for (std::size_t i = 0; i < 4; ++i) counter[15 - i] = static_cast<unsigned char>(first >> (8 * i));
  const CipherContext context = context_of(EVP_aes_256_ctr(), key_, counter.data(), true);
  std::array<std::byte, aes_block> skipped{};
  if (offset % aes_block != 0) update(context.get(), skipped.data(), offset % aes_block, skipped.data());
  update(context.get(), piece.data(), piece.size(), piece.data());
}

Tag TableCipher::seal(std::uint64_t block, std::span<const std::byte> plain, std::span<std::byte> out) const {
  const CipherContext context = context_of(EVP_aes_256_gcm(), key_, nonce_of(block).data(), true);
  const auto about = associated_data(block);
  update(context.get(), about.data(), about.size(), nullptr);
  update(context.get(), plain.data(), plain.size(), out.data());
  Tag tag{};
  int done = 0;
  require(EVP_CipherFinal_ex(context.get(), bytes_of(out.data()), &done) == 1 &&
              EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, tag.data()) == 1,
          "make a tag");
  return tag;
}

TableCipher TableCipher::by_openssl() const {
  TableCipher cipher = *this;
  cipher.fast_ = nullptr;
  return cipher;
}

std::optional<std::uint64_t> TableCipher::open(std::uint64_t first, std::uint64_t bytes_of_block,
                                               std::span<std::byte> bytes, std::span<const Tag> tags) const {
  // The key is set up once for all blocks: for each it would cost as much as some kilobytes.
  const CipherContext context = fast_ ? nullptr : context_of(EVP_aes_256_gcm(), key_, nullptr, false);
  auto about = associated_data(first);
  for (std::uint64_t block = first; block < first + tags.size(); ++block) {
    const auto piece = bytes.first(std::min<std::uint64_t>(bytes_of_block, bytes.size()));
    set_block(about, block);
    const Tag& expected = tags[block - first];
    if (fast_) {
      const Tag tag = fast_->decrypt(nonce_of(block), about, piece);
      if (CRYPTO_memcmp(tag.data(), expected.data(), tag.size()) != 0) return block;
    } else if (!opens(context.get(), nonce_of(block), about, piece, expected)) {
      return block;
    }
    bytes = bytes.subspan(piece.size());
  }
  return std::nullopt;
}

FileCipher::FileCipher(const Key& key) : key_(key) {
  require(RAND_bytes(bytes_of(salt_.data()), static_cast<int>(salt_.size())) == 1, "draw random bytes");
}

std::array<std::byte, 16> FileCipher::key_check() const {
  std::array<std::byte, 16> check{};
  derive(key_, salt_, "kernmill key check", check);
  return check;
}

TableCipher FileCipher::table(const std::string& name, std::uint64_t bytes) const {
  std::array<std::byte, Key::size> derived{};
  derive(key_, salt_, "kernmill table " + name, derived);
  const Key table_key(derived);
  OPENSSL_cleanse(derived.data(), derived.size());
  return {table_key, salt_, name, bytes};
}

std::optional<FileCipher> cipher_of(const std::optional<Salt>& salt, const std::optional<Key>& key) {
  if (!salt) return std::nullopt;
  return FileCipher(key.value(), *salt);
}

}  // namespace kernmill::storage
