#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/hdf5/hdf5.hpp"
#include "kernmill/storage/sealed/cipher.hpp"

/// Private to storage/: tables that prove what they are. HDF5 makes their structure; their bytes are then
/// read and written in place. A table is cut into blocks. Beside it lie the CRC-32C of each block as it is on
/// disk (`/checksums/NAME`), and when it is encrypted each block's tag (`/tags/NAME`). sealed_writer.hpp
/// writes them, sealed_reader.hpp reads them.
namespace kernmill::storage {

/// Large enough that checksums, tags and calls cost little; small enough to decrypt one for a single row.
inline constexpr std::uint64_t block_bytes = std::uint64_t{64} << 10;

/// Where a table lies in its file.
struct SealedTable {
  std::string name;          ///< its path: "train/features"
  std::uint64_t offset = 0;  ///< of its first byte
  std::uint64_t bytes = 0;
  std::uint64_t checksums = 0;        ///< offset of the checksums, 4 bytes a block
  std::optional<std::uint64_t> tags;  ///< offset of the tags, 16 bytes a block, of an encrypted table

  [[nodiscard]] std::uint64_t blocks() const { return (bytes + block_bytes - 1) / block_bytes; }
  [[nodiscard]] std::uint64_t bytes_of_block(std::uint64_t block) const {
    return std::min(block_bytes, bytes - block * block_bytes);
  }
};

/// Calls visit(first byte, bytes) with each block of what begins one.
template <class Byte, class Visit>
void each_block(std::span<Byte> bytes, const Visit& visit) {
  for (std::uint64_t at = 0; at < bytes.size(); at += block_bytes)
    visit(at, bytes.subspan(at, std::min<std::uint64_t>(block_bytes, bytes.size() - at)));
}

auto members_of(Is<SealedTable> auto& table) {
  return std::tie(table.name, table.offset, table.bytes, table.checksums, table.tags);
}

/// The datasets beside a table.
std::string checksums_of(const std::string& table);
std::string tags_of(const std::string& table);
/// All datasets of tables that hold anything.
std::vector<std::string> datasets_of(const std::vector<SealedTable>& tables);

/// Makes the table, its checksums and (encrypted) its tags, and the groups above them. One rank's.
void create_sealed_table(const hdf5::File& file, const std::string& name, hdf5::Type type,
                         const hdf5::Shape& shape, bool encrypted);

/// Finds a table that is there. Throws when it is of another type or number of dimensions, or when its
/// checksums or tags are not of its length. `shape`, if wanted, becomes its shape.
SealedTable find_sealed_table(const hdf5::File& file, const std::string& name, hdf5::Type type,
                              std::size_t dimensions, bool encrypted, hdf5::Shape* shape = nullptr);

/// The attributes of an encrypted file: `encryption`, `encryption_salt` and `encryption_key_check`.
void write_encryption(const hdf5::File& file, const FileCipher& cipher);

/// How to decrypt a file; nothing when it is plain, and there is no key. Throws when it is encrypted and
/// there is no key, or another one; and when there is a key for a plain one: encryption is not turned off
/// from outside.
std::optional<FileCipher> read_encryption(const hdf5::File& file, const std::optional<Key>& key);
[[nodiscard]] bool is_encrypted(const hdf5::File& file);

}  // namespace kernmill::storage
