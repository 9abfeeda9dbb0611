#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"

/// Private to storage/.
namespace kernmill::storage {

/// Writes whole blocks of sealed tables, whose writer no other rank is: so it needs no messages, and may be a
/// thread's. (Where ranks share blocks SealedWriter is for them.)
class ChunkWriter {
 public:
  ChunkWriter(const std::filesystem::path& file, const std::filesystem::path& named,
              std::vector<SealedTable> tables, const std::optional<FileCipher>& cipher);
  /// From the beginning of a block to the end of one. Blocks and what proves them.
  void write(std::size_t table, std::uint64_t offset, std::span<const std::byte> bytes);
  /// Puts all on disk, reads it back and compares.
  void finish();
  [[nodiscard]] const RawFile& file() const { return file_; }

 private:
  /// What was written at a stretch.
  struct Chunk {
    std::size_t table = 0;
    std::uint64_t first_block = 0, bytes = 0;
    std::vector<std::uint32_t> sums;
    std::vector<Tag> tags;
  };
  [[nodiscard]] std::span<const std::byte> sealed(Chunk& chunk, std::span<const std::byte> plain);
  void require_unchanged(const Chunk& chunk);

  RawFile file_;
  std::vector<SealedTable> tables_;
  std::vector<TableCipher> ciphers_;  ///< one a table, or none
  std::vector<Chunk> chunks_;
  std::vector<std::byte> buffer_;
};

}  // namespace kernmill::storage
