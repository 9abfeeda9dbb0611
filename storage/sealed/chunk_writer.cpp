#include "kernmill/storage/sealed/chunk_writer.hpp"

#include <fmt/format.h>

#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/file/crc32c.hpp"

namespace kernmill::storage {
namespace {

template <class Visit>
void each_block(std::span<const std::byte> bytes, const Visit& visit) {
  for (std::uint64_t at = 0; at < bytes.size(); at += block_bytes)
    visit(at, bytes.subspan(at, std::min<std::uint64_t>(block_bytes, bytes.size() - at)));
}

}  // namespace

ChunkWriter::ChunkWriter(const std::filesystem::path& file, const std::filesystem::path& named,
                         std::vector<SealedTable> tables, const std::optional<FileCipher>& cipher)
    : file_(file, named, RawFile::Access::write), tables_(std::move(tables)) {
  if (!cipher) return;
  for (const SealedTable& table : tables_) ciphers_.push_back(cipher->table(table.name, table.bytes));
}

std::span<const std::byte> ChunkWriter::sealed(Chunk& chunk, std::span<const std::byte> plain) {
  if (ciphers_.empty()) return plain;
  buffer_.resize(plain.size());
  each_block(plain, [&](std::uint64_t at, std::span<const std::byte> block) {
    chunk.tags.push_back(ciphers_[chunk.table].seal(chunk.first_block + at / block_bytes, block,
                                                    std::span(buffer_).subspan(at, block.size())));
  });
  return buffer_;
}

void ChunkWriter::write(std::size_t table, std::uint64_t offset, std::span<const std::byte> bytes) {
  Chunk chunk{table, offset / block_bytes, bytes.size(), {}, {}};
  const SealedTable& place = tables_.at(table);
  const auto out = sealed(chunk, bytes);
  each_block(out,
             [&](std::uint64_t, std::span<const std::byte> block) { chunk.sums.push_back(crc32c(block)); });
  file_.write(place.offset + offset, out);
  file_.start_sync(place.offset + offset, out.size());
  file_.write(place.checksums + chunk.first_block * sizeof(std::uint32_t),
              std::as_bytes(std::span(chunk.sums)));
  if (place.tags)
    file_.write(*place.tags + chunk.first_block * tag_bytes, std::as_bytes(std::span(chunk.tags)));
  chunks_.push_back(std::move(chunk));
}

void ChunkWriter::finish() {
  file_.sync();
  fail_at("verify", file_.name());
  for (const Chunk& chunk : chunks_) require_unchanged(chunk);
  chunks_.clear();
}

void ChunkWriter::require_unchanged(const Chunk& chunk) {
  const SealedTable& place = tables_[chunk.table];
  buffer_.resize(chunk.bytes);
  file_.read(place.offset + chunk.first_block * block_bytes, buffer_);
  std::vector<std::uint32_t> sums(chunk.sums.size());
  file_.read(place.checksums + chunk.first_block * sizeof(std::uint32_t),
             std::as_writable_bytes(std::span(sums)));
  std::vector<Tag> tags(chunk.tags.size());
  if (place.tags)
    file_.read(*place.tags + chunk.first_block * tag_bytes, std::as_writable_bytes(std::span(tags)));
  bool same = sums == chunk.sums && tags == chunk.tags;
  each_block(buffer_, [&](std::uint64_t at, std::span<const std::byte> block) {
    same = same && crc32c(block) == sums[at / block_bytes];
  });
  if (!same)
    throw Error(fmt::format("{}: blocks {} to {} of '{}' did not reach the disk as they were written",
                            file_.name().string(), chunk.first_block, chunk.first_block + sums.size() - 1,
                            place.name));
}

}  // namespace kernmill::storage
