#include "kernmill/storage/sealed/fast_gcm.hpp"

#ifdef KERNMILL_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#endif

namespace kernmill::storage {

#ifdef KERNMILL_IPSEC_MB
namespace {

/// The functions that fit this processor: null where none of them would be faster. They keep nothing between
/// calls, so that threads share them.
const IMB_MGR* functions() {
  static IMB_MGR* const manager = [] {
    IMB_MGR* made = alloc_mb_mgr(0);
    if (made == nullptr) return made;
    IMB_ARCH arch = IMB_ARCH_NONE;
    init_mb_mgr_auto(made, &arch);
    if (imb_get_errno(made) == 0 && arch >= IMB_ARCH_AVX2) return made;
    free_mb_mgr(made);
    return static_cast<IMB_MGR*>(nullptr);
  }();
  return manager;
}

}  // namespace

struct FastGcm::Expanded {
  Expanded() = default;
  Expanded(const Expanded&) = delete;
  Expanded& operator=(const Expanded&) = delete;
  ~Expanded() { OPENSSL_cleanse(&data, sizeof data); }
  gcm_key_data data{};
};

std::shared_ptr<const FastGcm> FastGcm::of(const Key& key) {
  const IMB_MGR* with = functions();
  if (with == nullptr) return nullptr;
  auto expanded = std::make_unique<Expanded>();
  IMB_AES256_GCM_PRE(with, key.bytes().data(), &expanded->data);
  return std::shared_ptr<const FastGcm>(new FastGcm(std::move(expanded)));
}

std::array<std::byte, 16> FastGcm::decrypt(const std::array<unsigned char, 12>& nonce,
                                           std::span<const std::byte> about,
                                           std::span<std::byte> bytes) const {
  std::array<std::byte, 16> tag{};
  gcm_context_data context{};
  auto* data = reinterpret_cast<std::uint8_t*>(bytes.data());
  IMB_AES256_GCM_DEC(functions(), &key_->data, &context, data, data, bytes.size(), nonce.data(),
                     reinterpret_cast<const std::uint8_t*>(about.data()), about.size(),
                     reinterpret_cast<std::uint8_t*>(tag.data()), tag.size());
  return tag;
}
#else
struct FastGcm::Expanded {};

std::shared_ptr<const FastGcm> FastGcm::of(const Key&) {
  return nullptr;
}

std::array<std::byte, 16> FastGcm::decrypt(const std::array<unsigned char, 12>&, std::span<const std::byte>,
                                           std::span<std::byte>) const {
  return {};
}
#endif

FastGcm::FastGcm(std::unique_ptr<Expanded> key) : key_(std::move(key)) {}

FastGcm::~FastGcm() = default;

}  // namespace kernmill::storage
