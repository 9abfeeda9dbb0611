#pragma once
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernmill/storage/file/raw_file.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"
#include "kernmill/storage/transport/background_write.hpp"

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
  /// The same for who has them written by others: they are sealed where they are, and stay there.
  void seal(std::size_t table, std::uint64_t offset, std::span<std::byte> bytes);
  /// What `seal` has made, and where it belongs: ascending.
  [[nodiscard]] std::vector<PlacedBytes> sealed() const;
  /// Where that will be, of bytes of a table.
  void add_places(std::size_t table, std::uint64_t offset, std::uint64_t bytes,
                  std::vector<Extent>& places) const;

  /// Puts all that was written on disk.
  void sync() const;
  /// Opens the file anew: on NFS a node sees what others have written when it does.
  void reopen();
  /// Reads back what was written or sealed, and compares.
  void verify();
  [[nodiscard]] const RawFile& file() const { return *file_; }

 private:
  /// What was written at a stretch.
  struct Chunk {
    std::size_t table = 0;
    std::uint64_t first_block = 0, bytes = 0;
    std::vector<std::uint32_t> sums;
    std::vector<Tag> tags;
    std::span<const std::byte> sealed;  ///< where they stay until they are written
  };
  [[nodiscard]] std::span<const std::byte> encrypted(Chunk& chunk, std::span<const std::byte> plain);
  void require_unchanged(const Chunk& chunk);

  std::filesystem::path path_, named_;
  std::optional<RawFile> file_;
  std::vector<SealedTable> tables_;
  std::vector<TableCipher> ciphers_;  ///< one a table, or none
  std::vector<Chunk> chunks_;
  std::vector<std::byte> buffer_;
};

}  // namespace kernmill::storage
