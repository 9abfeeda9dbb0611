#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/sealed/fast_gcm.hpp"
#include "kernmill/storage/sealed/key.hpp"

/// Private to storage/: AES-256-GCM (NIST SP 800-38D) of tables, block by block.
///
/// A nonce must never repeat for a key. So no key but the user's is used twice: every file that is written
/// draws a salt of 32 random bytes, and every table of it has a key of its own, HKDF-SHA256 (RFC 5869) of the
/// user's key with that salt and the table's name. Within a table the nonce is the number of the block, and a
/// block is encrypted once: files are never changed in place.
namespace kernmill::storage {

inline constexpr std::size_t tag_bytes = 16;
using Tag = std::array<std::byte, tag_bytes>;
using Salt = std::array<std::byte, 32>;

/// Encrypts the blocks of one table. The associated data of a block are the file's salt, the length of the
/// table, the number of the block and the table's name: a block that is moved is a changed one. Threads may
/// share it.
class TableCipher {
 public:
  TableCipher(const Key& table_key, const Salt& salt, const std::string& name, std::uint64_t bytes);

  /// Encrypts, or decrypts, any piece of a block in place, without a tag: GCM is counter mode, so that ranks
  /// can share a block without seeing each other's part.
  void apply(std::uint64_t block, std::uint64_t offset, std::span<std::byte> piece) const;
  /// Encrypts a whole block; `out` is as long.
  [[nodiscard]] Tag seal(std::uint64_t block, std::span<const std::byte> plain,
                         std::span<std::byte> out) const;
  /// Decrypts whole blocks in place, from `first` on: `bytes_of_block` each, the last one perhaps less, and
  /// as many as there are tags. The number of the first one that is not what was sealed; nothing when all
  /// are.
  [[nodiscard]] std::optional<std::uint64_t> open(std::uint64_t first, std::uint64_t bytes_of_block,
                                                  std::span<std::byte> bytes,
                                                  std::span<const Tag> tags) const;

  /// The same one, which opens by OpenSSL on every machine.
  [[nodiscard]] TableCipher by_openssl() const;

 private:
  [[nodiscard]] std::vector<std::byte> associated_data(std::uint64_t block) const;
  Key key_;
  std::vector<std::byte> about_;
  std::shared_ptr<const FastGcm> fast_;  ///< nothing: OpenSSL opens
};

/// The keys of one file.
class FileCipher {
 public:
  /// For a new file: with a salt that nobody has used.
  explicit FileCipher(const Key& key);
  FileCipher(const Key& key, const Salt& salt) : key_(key), salt_(salt) {}

  [[nodiscard]] const Salt& salt() const { return salt_; }
  /// Tells a wrong key from a changed file, and nothing about the key.
  [[nodiscard]] std::array<std::byte, 16> key_check() const;
  [[nodiscard]] TableCipher table(const std::string& name, std::uint64_t bytes) const;

 private:
  Key key_;
  Salt salt_{};
};

/// How to read and write the tables of a file with this salt; nothing when it has none, being plain.
std::optional<FileCipher> cipher_of(const std::optional<Salt>& salt, const std::optional<Key>& key);

}  // namespace kernmill::storage
