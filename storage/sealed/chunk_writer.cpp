#include "kernmill/storage/sealed/chunk_writer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/file/crc32c.hpp"

namespace kernmill::storage {
ChunkWriter::ChunkWriter(const std::filesystem::path& file, const std::filesystem::path& named,
                         std::vector<SealedTable> tables, const std::optional<FileCipher>& cipher)
    : path_(file), named_(named), tables_(std::move(tables)) {
  file_.emplace(file, named, RawFile::Access::write);
  if (!cipher) return;
  for (const SealedTable& table : tables_) ciphers_.push_back(cipher->table(table.name, table.bytes));
}

std::span<const std::byte> ChunkWriter::encrypted(Chunk& chunk, std::span<const std::byte> plain) {
  if (ciphers_.empty()) return plain;
  buffer_.resize(plain.size());
  each_block(plain, [&](std::uint64_t at, std::span<const std::byte> block) {
    chunk.tags.push_back(ciphers_[chunk.table].seal(chunk.first_block + at / block_bytes, block,
                                                    std::span(buffer_).subspan(at, block.size())));
  });
  return buffer_;
}

void ChunkWriter::write(std::size_t table, std::uint64_t offset, std::span<const std::byte> bytes) {
  Chunk chunk{table, offset / block_bytes, bytes.size(), {}, {}, {}};
  const SealedTable& place = tables_.at(table);
  const auto out = encrypted(chunk, bytes);
  each_block(out,
             [&](std::uint64_t, std::span<const std::byte> block) { chunk.sums.push_back(crc32c(block)); });
  file_->write(place.offset + offset, out);
  file_->start_sync(place.offset + offset, out.size());
  file_->write(place.checksums + chunk.first_block * sizeof(std::uint32_t),
               std::as_bytes(std::span(chunk.sums)));
  if (place.tags)
    file_->write(*place.tags + chunk.first_block * tag_bytes, std::as_bytes(std::span(chunk.tags)));
  chunks_.push_back(std::move(chunk));
}

void ChunkWriter::seal(std::size_t table, std::uint64_t offset, std::span<std::byte> bytes) {
  Chunk chunk{table, offset / block_bytes, bytes.size(), {}, {}, bytes};
  const auto out = encrypted(chunk, bytes);
  if (out.data() != bytes.data()) std::copy(out.begin(), out.end(), bytes.begin());
  each_block(bytes,
             [&](std::uint64_t, std::span<const std::byte> block) { chunk.sums.push_back(crc32c(block)); });
  chunks_.push_back(std::move(chunk));
}

std::vector<PlacedBytes> ChunkWriter::sealed() const {
  std::vector<PlacedBytes> all;
  for (const Chunk& chunk : chunks_) {
    const SealedTable& place = tables_[chunk.table];
    all.push_back({place.offset + chunk.first_block * block_bytes, chunk.sealed});
    all.push_back(
        {place.checksums + chunk.first_block * sizeof(std::uint32_t), std::as_bytes(std::span(chunk.sums))});
    if (place.tags)
      all.push_back({*place.tags + chunk.first_block * tag_bytes, std::as_bytes(std::span(chunk.tags))});
  }
  std::sort(all.begin(), all.end(),
            [](const PlacedBytes& a, const PlacedBytes& b) { return a.offset < b.offset; });
  return all;
}

void ChunkWriter::add_places(std::size_t table, std::uint64_t offset, std::uint64_t bytes,
                             std::vector<Extent>& places) const {
  const SealedTable& place = tables_.at(table);
  const std::uint64_t first = offset / block_bytes, blocks = (bytes + block_bytes - 1) / block_bytes;
  const auto add = [&](std::uint64_t begin, std::uint64_t size) { places.push_back({begin, begin + size}); };
  add(place.offset + offset, bytes);
  add(place.checksums + first * sizeof(std::uint32_t), blocks * sizeof(std::uint32_t));
  if (place.tags) add(*place.tags + first * tag_bytes, blocks * tag_bytes);
}

void ChunkWriter::sync() const {
  file_->sync();
}

void ChunkWriter::reopen() {
  file_.emplace(path_, named_, RawFile::Access::write);
}

void ChunkWriter::verify() {
  fail_at("verify", named_);
  for (const Chunk& chunk : chunks_) require_unchanged(chunk);
  chunks_.clear();
}

void ChunkWriter::require_unchanged(const Chunk& chunk) {
  const SealedTable& place = tables_[chunk.table];
  buffer_.resize(chunk.bytes);
  file_->read(place.offset + chunk.first_block * block_bytes, buffer_);
  std::vector<std::uint32_t> sums(chunk.sums.size());
  file_->read(place.checksums + chunk.first_block * sizeof(std::uint32_t),
              std::as_writable_bytes(std::span(sums)));
  std::vector<Tag> tags(chunk.tags.size());
  if (place.tags)
    file_->read(*place.tags + chunk.first_block * tag_bytes, std::as_writable_bytes(std::span(tags)));
  bool same = sums == chunk.sums && tags == chunk.tags;
  each_block(std::span<const std::byte>(buffer_), [&](std::uint64_t at, std::span<const std::byte> block) {
    same = same && crc32c(block) == sums[at / block_bytes];
  });
  if (!same)
    throw Error(fmt::format("{}: blocks {} to {} of '{}' did not reach the disk as they were written",
                            named_.string(), chunk.first_block, chunk.first_block + sums.size() - 1,
                            place.name));
}

}  // namespace kernmill::storage
