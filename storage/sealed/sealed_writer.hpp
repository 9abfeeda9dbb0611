#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <mpi.h>

#include "kernmill/base/sha256.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"
#include "kernmill/storage/sealed/together.hpp"
#include "kernmill/storage/transport/table_file.hpp"

namespace kernmill::storage {

/// Bytes that a rank has for a table, which is an index into the list of tables.
struct NewBytes {
  /// Those from `from` on, `count` of them; they stay until it is asked again.
  using Source = std::function<std::span<const std::byte>(std::uint64_t from, std::uint64_t count)>;

  NewBytes(std::size_t index, std::uint64_t begin, std::uint64_t bytes, Source make)
      : table(index), offset(begin), size(bytes), source(std::move(make)) {}
  NewBytes(std::size_t index, std::uint64_t begin, std::span<const std::byte> bytes)
      : NewBytes(index, begin, bytes.size(),
                 [bytes](std::uint64_t from, std::uint64_t count) { return bytes.subspan(from, count); }) {}

  std::size_t table;
  std::uint64_t offset, size;
  Source source;
};

/// Writes the bytes of tables that several ranks share, and seals them. Each rank writes what pieces it has,
/// wherever they begin and end, each byte once; then all take these steps, in this order:
///
///   write...   own pieces
///   sync       own pieces are on disk
///   exchange   collective: who reads a block back learns what was written into it
///   seal       this rank's even share of the blocks is read back and compared; checksums and tags are
///              written and synced
///
/// Each throws Error; the caller agrees on it with the other ranks after each step (agree in agreement.hpp).
/// Whether write, sync and seal are collective depends on the file (TableFile). With a cipher no plain byte
/// reaches the disk.
class SealedWriter {
 public:
  /// Content digests are taken of so many bytes each, of whatever ranks.
  static constexpr std::uint64_t digest_bytes = std::uint64_t{1} << 20;

  /// `digests`: whether the SHA-256 of the plain content is taken, too: of a piece that one write has whole
  /// as it is written, of others in seal.
  SealedWriter(std::unique_ptr<TableFile> file, std::filesystem::path named, std::vector<SealedTable> tables,
               const std::optional<FileCipher>& cipher, bool digests);
  ~SealedWriter();

  /// Ranks that write together name the same tables in the same order, with or without bytes.
  void write(std::span<const NewBytes> pieces);
  void write(std::size_t table, std::uint64_t offset, std::span<const std::byte> bytes);
  void sync() const;
  void exchange(MPI_Comm comm);
  void seal();
  [[nodiscard]] const TableFile& file() const { return *file_; }

  /// Collective, after seal: on rank 0 each table's SHA-256 of the SHA-256s of its pieces of 1 MiB. The same
  /// for the same content, whoever wrote it, encrypted or not.
  [[nodiscard]] std::vector<Digest> table_digests(MPI_Comm comm) const;

 private:
  /// What was written into a block: some of its bytes, or all.
  struct Fragment {
    std::uint64_t table, block, offset, length;
    std::uint32_t checksum;
    Tag tag;  ///< of all of an encrypted one
  };
  /// What a block was written as. Its tag, where one write had all of it.
  struct Expected {
    std::uint32_t checksum;
    std::optional<Tag> tag;
  };
  /// The SHA-256 of a piece of `digest_bytes`.
  struct PieceDigest {
    std::uint64_t table, piece;
    Digest digest;
  };
  /// The blocks of a table that this rank reads back.
  struct Share {
    std::uint64_t first = 0, end = 0;
  };
  [[nodiscard]] Share share_of(const SealedTable& table, int rank, int size) const;
  [[nodiscard]] std::vector<Expected> expected_of(std::size_t table) const;
  void write(const NewBytes& piece, Together& together);
  std::span<const std::byte> sealed(std::size_t table, std::uint64_t offset,
                                    std::span<const std::byte> bytes);
  Tag encrypt(std::size_t table, std::uint64_t block, std::uint64_t within, std::span<const std::byte> plain,
              std::span<std::byte> out) const;
  void digest_whole_pieces(std::size_t table, std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] const Digest* known_digest(std::uint64_t table, std::uint64_t piece) const;
  void seal(std::size_t table, Together& together);
  void require_unchanged(std::size_t table, std::uint64_t first, std::span<const std::byte> bytes,
                         std::span<const Expected> expected) const;
  void seal_piece(std::size_t table, std::uint64_t first, std::span<std::byte> bytes,
                  std::span<const Expected> expected, std::vector<Tag>& tags);
  void write_all(const std::string& dataset, std::uint64_t begin, std::uint64_t offset,
                 std::span<const std::byte> bytes, Together& together);

  std::unique_ptr<TableFile> file_;
  std::filesystem::path named_;
  std::vector<SealedTable> tables_;
  std::vector<TableCipher> ciphers_;  ///< one a table, or none
  bool wants_digests_;
  std::vector<Fragment> fragments_;         ///< own ones; after the exchange those of the own share
  std::vector<PieceDigest> known_digests_;  ///< likewise
  std::vector<std::vector<Digest>> digests_;
  std::vector<std::byte> buffer_;
  int rank_ = 0, size_ = 1;
};

}  // namespace kernmill::storage
