#include "kernmill/storage/sealed/sealed_writer.hpp"

#include <cstring>
#include <limits>
#include <tuple>

#include <fmt/format.h>

#include "kernmill/storage/even_share.hpp"
#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/file/crc32c.hpp"

namespace kernmill::storage {
namespace {

constexpr std::uint64_t blocks_per_chunk = SealedWriter::digest_bytes / block_bytes;

std::uint64_t chunks_of(const SealedTable& table) {
  return (table.blocks() + blocks_per_chunk - 1) / blocks_per_chunk;
}

/// Collective: each item goes to the rank that `owner` names.
template <class T, class Owner>
std::vector<T> dealt(MPI_Comm comm, int ranks, const std::vector<T>& own, const Owner& owner) {
  const auto n = static_cast<std::size_t>(ranks);
  std::vector<std::vector<T>> outgoing(n);
  for (const T& item : own) outgoing[static_cast<std::size_t>(owner(item))].push_back(item);
  std::vector<int> sent(n), received(n), sent_at(n), received_at(n);
  std::vector<T> all;
  for (std::size_t i = 0; i < n; ++i) {
    sent[i] = static_cast<int>(outgoing[i].size());
    sent_at[i] = static_cast<int>(all.size());
    all.insert(all.end(), outgoing[i].begin(), outgoing[i].end());
  }
  MPI_Alltoall(sent.data(), 1, MPI_INT, received.data(), 1, MPI_INT, comm);
  int total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    received_at[i] = total;
    total += received[i];
  }
  std::vector<T> mine(static_cast<std::size_t>(total));
  MPI_Datatype item_type = MPI_DATATYPE_NULL;
  MPI_Type_contiguous(sizeof(T), MPI_BYTE, &item_type);
  MPI_Type_commit(&item_type);
  MPI_Alltoallv(all.data(), sent.data(), sent_at.data(), item_type, mine.data(), received.data(),
                received_at.data(), item_type, comm);
  MPI_Type_free(&item_type);
  return mine;
}

}  // namespace

SealedWriter::SealedWriter(std::unique_ptr<TableFile> file, std::filesystem::path named,
                           std::vector<SealedTable> tables, const std::optional<FileCipher>& cipher,
                           bool digests)
    : file_(std::move(file)),
      named_(std::move(named)),
      tables_(std::move(tables)),
      wants_digests_(digests),
      digests_(tables_.size()) {
  if (cipher)
    for (const SealedTable& table : tables_) ciphers_.push_back(cipher->table(table.name, table.bytes));
}

SealedWriter::~SealedWriter() = default;

void SealedWriter::write(std::span<const NewBytes> pieces) {
  Together together;
  for (const NewBytes& piece : pieces) write(piece, together);
  together.rethrow();
}

void SealedWriter::write(std::size_t table, std::uint64_t offset, std::span<const std::byte> bytes) {
  const NewBytes piece(table, offset, bytes);
  write(std::span(&piece, 1));
}

void SealedWriter::write(const NewBytes& piece, Together& together) {
  const SealedTable& place = tables_.at(piece.table);
  if (place.bytes == 0) return;
  Extent own{piece.offset, piece.offset + piece.size};
  if (own.begin > place.bytes || own.bytes() > place.bytes - own.begin) {
    together.guard([] { throw std::out_of_range("a piece does not fit its table"); });
    own = {};
  }
  for (const Extent& round : file_->rounds_to_write(own)) {
    std::span<const std::byte> out;
    together.guard([&] {
      if (round.empty()) return;
      out = sealed(piece.table, round.begin, piece.source(round.begin - own.begin, round.bytes()));
    });
    if (together.failed()) out = {};
    together.call([&] { file_->write({place.name, place.offset, round.begin}, out); });
  }
}

// A piece as it is to be on disk; what it is made of is remembered.
std::span<const std::byte> SealedWriter::sealed(std::size_t table, std::uint64_t offset,
                                                std::span<const std::byte> bytes) {
  if (wants_digests_) digest_whole_pieces(table, offset, bytes);
  if (!ciphers_.empty()) buffer_.resize(bytes.size());
  for (std::uint64_t done = 0; done < bytes.size();) {
    const std::uint64_t at = offset + done, block = at / block_bytes, within = at % block_bytes;
    const std::uint64_t length = std::min<std::uint64_t>(bytes.size() - done, block_bytes - within);
    std::span<const std::byte> part = bytes.subspan(done, length);
    Tag tag{};
    if (!ciphers_.empty()) {
      const std::span<std::byte> encrypted = std::span(buffer_).subspan(done, length);
      tag = encrypt(table, block, within, part, encrypted);
      part = encrypted;
    }
    fragments_.push_back({table, block, within, length, crc32c(part), tag});
    done += length;
  }
  return ciphers_.empty() ? bytes : buffer_;
}

// The tag of a whole block; of a part of one there is none yet.
Tag SealedWriter::encrypt(std::size_t table, std::uint64_t block, std::uint64_t within,
                          std::span<const std::byte> plain, std::span<std::byte> out) const {
  if (within == 0 && plain.size() == tables_[table].bytes_of_block(block))
    return ciphers_[table].seal(block, plain, out);
  std::copy(plain.begin(), plain.end(), out.begin());
  ciphers_[table].apply(block, within, out);
  return {};
}

void SealedWriter::sync() const {
  file_->sync();
}

SealedWriter::Share SealedWriter::share_of(const SealedTable& table, int rank, int size) const {
  const IndexRange chunks = even_share(chunks_of(table), rank, size);
  return {std::min(table.blocks(), chunks.begin * blocks_per_chunk),
          std::min(table.blocks(), chunks.end * blocks_per_chunk)};
}

// A digest that one rank has all the bytes of is taken here, while the disk is at what was written before.
void SealedWriter::digest_whole_pieces(std::size_t table, std::uint64_t offset,
                                       std::span<const std::byte> bytes) {
  const std::uint64_t end = offset + bytes.size();
  for (std::uint64_t at = (offset + digest_bytes - 1) / digest_bytes * digest_bytes; at < end;
       at += digest_bytes) {
    const std::uint64_t until = std::min(at + digest_bytes, tables_[table].bytes);
    if (until > end) return;
    known_digests_.push_back({table, at / digest_bytes, digest_of(bytes.subspan(at - offset, until - at))});
  }
}

void SealedWriter::exchange(MPI_Comm comm) {
  rank_ = rank_in(comm);
  size_ = size_of(comm);
  const auto owner = [&](std::uint64_t table, std::uint64_t chunk) {
    return owner_of(chunk, chunks_of(tables_[table]), size_);
  };
  fragments_ = dealt<Fragment>(comm, size_, fragments_,
                               [&](const Fragment& f) { return owner(f.table, f.block / blocks_per_chunk); });
  std::sort(fragments_.begin(), fragments_.end(), [](const Fragment& a, const Fragment& b) {
    return std::tie(a.table, a.block, a.offset) < std::tie(b.table, b.block, b.offset);
  });
  known_digests_ = dealt<PieceDigest>(comm, size_, known_digests_,
                                      [&](const PieceDigest& d) { return owner(d.table, d.piece); });
  std::sort(known_digests_.begin(), known_digests_.end(), [](const PieceDigest& a, const PieceDigest& b) {
    return std::tie(a.table, a.piece) < std::tie(b.table, b.piece);
  });
}

// Of the own share's blocks, joined from the pieces that they were written in.
std::vector<SealedWriter::Expected> SealedWriter::expected_of(std::size_t table) const {
  const SealedTable& place = tables_[table];
  const Share share = share_of(place, rank_, size_);
  std::vector<Expected> all;
  all.reserve(share.end - share.first);
  auto at = std::lower_bound(fragments_.begin(), fragments_.end(), table,
                             [](const Fragment& f, std::size_t index) { return f.table < index; });
  for (std::uint64_t block = share.first; block < share.end; ++block) {
    std::uint64_t done = 0;
    Expected expected{0, {}};
    for (; at != fragments_.end() && at->table == table && at->block == block; ++at) {
      if (at->offset < done)
        throw Error(
            fmt::format("{}: block {} of '{}' was written twice", named_.string(), block, place.name));
      if (at->offset > done) break;
      expected.checksum =
          done == 0 ? at->checksum : crc32c_joined(expected.checksum, at->checksum, at->length);
      done += at->length;
      if (!ciphers_.empty() && at->length == place.bytes_of_block(block)) expected.tag = at->tag;
    }
    if (done != place.bytes_of_block(block))
      throw Error(
          fmt::format("{}: block {} of '{}' was not written whole", named_.string(), block, place.name));
    all.push_back(expected);
  }
  return all;
}

void SealedWriter::seal() {
  Together together;
  together.guard([&] { fail_at("verify", named_); });
  for (std::size_t table = 0; table < tables_.size(); ++table) seal(table, together);
  fragments_ = {};
  known_digests_ = {};
  together.call([&] { file_->sync(); });
  together.rethrow();
}

void SealedWriter::seal(std::size_t table, Together& together) {
  const SealedTable& place = tables_[table];
  if (place.bytes == 0) return;
  const Share share = share_of(place, rank_, size_);
  std::vector<Expected> expected;
  std::vector<std::uint32_t> checksums;
  std::vector<Tag> tags;
  std::vector<std::byte> chunk;
  together.guard([&] {
    expected = expected_of(table);
    for (const Expected& block : expected) checksums.push_back(block.checksum);
  });
  const Extent own{share.first * block_bytes, std::min(place.bytes, share.end * block_bytes)};
  for (const Extent& round : file_->rounds_to_read(own)) {
    together.guard([&] { chunk.resize(round.bytes()); });
    if (together.failed()) chunk.clear();
    together.call([&] { file_->read({place.name, place.offset, round.begin}, chunk); });
    if (chunk.empty()) continue;
    together.guard([&] {
      for (std::uint64_t at = 0; at < chunk.size(); at += digest_bytes) {
        const auto piece = std::span(chunk).subspan(at, std::min(digest_bytes, chunk.size() - at));
        const std::uint64_t first = (round.begin + at) / block_bytes;
        const std::uint64_t blocks = (piece.size() + block_bytes - 1) / block_bytes;
        seal_piece(table, first, piece, std::span(expected).subspan(first - share.first, blocks), tags);
      }
    });
  }
  write_all(checksums_of(place.name), place.checksums, share.first * sizeof(std::uint32_t),
            std::as_bytes(std::span(checksums)), together);
  if (!ciphers_.empty())
    write_all(tags_of(place.name), *place.tags, share.first * tag_bytes, std::as_bytes(std::span(tags)),
              together);
}

void SealedWriter::write_all(const std::string& dataset, std::uint64_t begin, std::uint64_t offset,
                             std::span<const std::byte> bytes, Together& together) {
  if (together.failed()) bytes = {};
  for (const Extent& round : file_->rounds_to_write({offset, offset + bytes.size()})) {
    std::span<const std::byte> out;
    if (!together.failed() && !round.empty()) out = bytes.subspan(round.begin - offset, round.bytes());
    together.call([&] { file_->write({dataset, begin, round.begin}, out); });
  }
}

void SealedWriter::require_unchanged(std::size_t table, std::uint64_t first, std::span<const std::byte> bytes,
                                     std::span<const Expected> expected) const {
  each_block(bytes, [&](std::uint64_t at, std::span<const std::byte> block) {
    const std::uint64_t i = at / block_bytes;
    if (crc32c(block) != expected[i].checksum)
      throw Error(fmt::format("{}: block {} of '{}' did not reach the disk as it was written",
                              named_.string(), first + i, tables_[table].name));
  });
}

// `bytes` is what was read back of a piece of `digest_bytes`. It is decrypted where that is of use: for a
// digest or a tag that no write could make.
void SealedWriter::seal_piece(std::size_t table, std::uint64_t first, std::span<std::byte> bytes,
                              std::span<const Expected> expected, std::vector<Tag>& tags) {
  require_unchanged(table, first, bytes, expected);
  const Digest* const known = known_digest(table, first * block_bytes / digest_bytes);
  const bool to_be_digested = wants_digests_ && known == nullptr;
  if (!ciphers_.empty())
    each_block(bytes, [&](std::uint64_t at, std::span<std::byte> block) {
      const std::uint64_t i = at / block_bytes;
      const std::optional<Tag>& tag = expected[i].tag;
      if (to_be_digested || !tag) ciphers_[table].apply(first + i, 0, block);
      buffer_.resize(block.size());
      tags.push_back(tag ? *tag : ciphers_[table].seal(first + i, block, buffer_));
    });
  if (wants_digests_) digests_[table].push_back(to_be_digested ? digest_of(bytes) : *known);
}

const Digest* SealedWriter::known_digest(std::uint64_t table, std::uint64_t piece) const {
  const auto found = std::lower_bound(known_digests_.begin(), known_digests_.end(), std::pair(table, piece),
                                      [](const PieceDigest& known, const auto& wanted) {
                                        return std::pair(known.table, known.piece) < wanted;
                                      });
  const bool is_it = found != known_digests_.end() && found->table == table && found->piece == piece;
  return is_it ? &found->digest : nullptr;
}

std::vector<Digest> SealedWriter::table_digests(MPI_Comm comm) const {
  std::vector<Digest> result;
  for (const auto& own : digests_) {
    const int count = static_cast<int>(own.size() * sizeof(Digest));
    std::vector<int> counts(static_cast<std::size_t>(size_)), at(counts.size());
    MPI_Gather(&count, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, comm);
    std::size_t total = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      at[i] = static_cast<int>(total);
      total += static_cast<std::size_t>(counts[i]);
    }
    std::vector<std::byte> all(rank_ == 0 ? total : 0);
    MPI_Gatherv(own.data(), count, MPI_BYTE, all.data(), counts.data(), at.data(), MPI_BYTE, 0, comm);
    if (rank_ == 0) result.push_back(digest_of(all));
  }
  return result;
}

}  // namespace kernmill::storage
