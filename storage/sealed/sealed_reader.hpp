#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/sealed/access.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"
#include "kernmill/storage/transport/table_file.hpp"

namespace kernmill::storage {

/// Reads the bytes of tables. One rank's; threads may share it. Errors name file, table and block.
class SealedReader {
 public:
  SealedReader(const std::filesystem::path& file, const std::filesystem::path& named,
               std::vector<SealedTable> tables, const std::optional<FileCipher>& cipher, Verify verify);
  ~SealedReader();

  void read(std::size_t table, std::uint64_t offset, std::span<std::byte> out) const;
  /// The same of ranks that have the file open together, each with a range of its own. With mpiio it is
  /// collective; what fails is told to the rank that it failed on, when all have been through.
  void read_together(TableFile& from, std::size_t table, std::uint64_t offset,
                     std::span<std::byte> out) const;
  /// Pieces of `piece_bytes` each, in the order of `offsets`. No block is decrypted twice in one call. A
  /// small table is read whole, once, and kept: calls for its short pieces would cost more than they do.
  void read_pieces(std::size_t table, std::span<const std::uint64_t> offsets, std::uint64_t piece_bytes,
                   std::span<std::byte> out) const;
  /// Compares blocks [first, end) with their checksums, and no more: it needs no key.
  void check(std::size_t table, std::uint64_t first, std::uint64_t end) const;

  [[nodiscard]] const std::vector<SealedTable>& tables() const { return tables_; }

 private:
  /// A table in memory.
  struct Kept {
    std::once_flag once;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] std::span<const std::byte> kept(std::size_t table) const;
  void read_plain(std::size_t table, std::uint64_t offset, std::span<std::byte> out) const;
  std::uint64_t read_sealed(std::size_t table, std::uint64_t offset, std::span<std::byte> out) const;
  void read_plain_pieces(std::size_t table, std::span<const std::uint64_t> offsets, std::uint64_t piece_bytes,
                         std::span<std::byte> out) const;
  void read_sealed_pieces(std::size_t table, std::span<const std::uint64_t> offsets,
                          std::uint64_t piece_bytes, std::span<std::byte> out) const;
  void read_block(std::size_t table, std::uint64_t block, std::span<std::byte> out) const;
  void decrypt(std::size_t table, std::uint64_t first, std::span<std::byte> bytes) const;
  void prove(std::size_t table, std::uint64_t first, std::span<std::byte> blocks) const;
  void compare(std::size_t table, std::uint64_t first, std::span<const std::byte> bytes) const;
  /// Those of blocks [first, end) that have not been; `bytes` begins with the first.
  void compare_once(std::size_t table, std::uint64_t first, std::uint64_t end,
                    std::span<const std::byte> bytes) const;
  void check_once(std::size_t table, std::uint64_t first, std::uint64_t end) const;

  RawFile file_;
  std::vector<SealedTable> tables_;
  std::vector<TableCipher> ciphers_;
  Verify verify_;
  mutable std::vector<std::vector<std::atomic<bool>>> checked_;  ///< by table and block
  mutable std::vector<Kept> kept_;                               ///< by table
};

}  // namespace kernmill::storage
