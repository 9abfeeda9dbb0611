#include "kernmill/base/sha256.hpp"

#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace kernmill {
namespace {

void require_openssl(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot compute SHA-256; is its default provider disabled?");
}

/// Without OpenSSL's tables of names, which nobody asks here: they are a third of what kernmill-exec costs.
/// Providers and the site's configuration are as ever.
void prepare_openssl() {
  static const bool done =
      OPENSSL_init_crypto(OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
                              OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS,
                          nullptr) == 1;
  require_openssl(done);
}

EVP_MD_CTX* new_context() {
  prepare_openssl();
  return EVP_MD_CTX_new();
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = new_context();
  State() = default;
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require_openssl(state_->context != nullptr &&
                  EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  require_openssl(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  Digest digest{};
  auto* const to = reinterpret_cast<unsigned char*>(digest.data());
  require_openssl(EVP_DigestFinal_ex(state_->context, to, nullptr) == 1);
  return digest;
}

Digest digest_of(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.finish();
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

std::string sha256(std::string_view text) {
  return hexadecimal(digest_of(std::as_bytes(std::span(text))));
}

}  // namespace kernmill
