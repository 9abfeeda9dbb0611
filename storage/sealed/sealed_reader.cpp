#include "kernmill/storage/sealed/sealed_reader.hpp"

#include <array>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/storage/file/crc32c.hpp"

namespace kernmill::storage {
namespace {

constexpr std::uint64_t blocks_per_read = 16;
constexpr std::uint64_t small_table = std::uint64_t{4} << 20U;  // bytes

void require_inside(const SealedTable& table, std::uint64_t offset, std::uint64_t bytes) {
  if (offset > table.bytes || bytes > table.bytes - offset)
    throw std::out_of_range("what is to be read lies outside '" + table.name + "'");
}

std::uint64_t end_of(const SealedTable& table, std::uint64_t first, std::uint64_t end) {
  return std::min(table.bytes, end * block_bytes) - first * block_bytes;
}

}  // namespace

SealedReader::SealedReader(const std::filesystem::path& file, const std::filesystem::path& named,
                           std::vector<SealedTable> tables, const std::optional<FileCipher>& cipher,
                           Verify verify)
    : file_(file, named, RawFile::Access::read),
      tables_(std::move(tables)),
      verify_(verify),
      kept_(tables_.size()) {
  for (const SealedTable& table : tables_) {
    if (cipher) ciphers_.push_back(cipher->table(table.name, table.bytes));
    checked_.emplace_back(verify == Verify::once && !cipher ? table.blocks() : 0);
  }
}

SealedReader::~SealedReader() = default;

void SealedReader::compare(std::size_t table, std::uint64_t first, std::span<const std::byte> bytes) const {
  const SealedTable& place = tables_[table];
  std::vector<std::uint32_t> expected((bytes.size() + block_bytes - 1) / block_bytes);
  file_.read(place.checksums + first * sizeof(std::uint32_t), std::as_writable_bytes(std::span(expected)));
  for (const std::uint32_t sum : expected) {
    const auto block = bytes.first(std::min<std::uint64_t>(block_bytes, bytes.size()));
    if (crc32c(block) != sum)
      throw Error(
          fmt::format("{}: checksum of block {} of '{}' is wrong", file_.name().string(), first, place.name));
    bytes = bytes.subspan(block.size());
    ++first;
  }
}

void SealedReader::check(std::size_t table, std::uint64_t first, std::uint64_t end) const {
  const SealedTable& place = tables_.at(table);
  std::vector<std::byte> buffer;
  for (; first < end; first += blocks_per_read) {
    buffer.resize(end_of(place, first, std::min(end, first + blocks_per_read)));
    file_.read(place.offset + first * block_bytes, buffer);
    compare(table, first, buffer);
  }
}

// Two threads may check the same block: that costs a little and harms nobody.
void SealedReader::check_once(std::size_t table, std::uint64_t first, std::uint64_t end) const {
  auto& checked = checked_[table];
  for (std::uint64_t block = first; block < end; ++block) {
    if (checked[block].load(std::memory_order_relaxed)) continue;
    check(table, block, block + 1);
    checked[block].store(true, std::memory_order_relaxed);
  }
}

void SealedReader::compare_once(std::size_t table, std::uint64_t first, std::uint64_t end,
                                std::span<const std::byte> bytes) const {
  auto& checked = checked_[table];
  const auto is_checked = [&](std::uint64_t block) { return checked[block].load(std::memory_order_relaxed); };
  for (std::uint64_t block = first, next = first; block < end; block = next) {
    for (next = block + 1; next < end && is_checked(next) == is_checked(block);) ++next;
    if (is_checked(block)) continue;
    compare(table, block, bytes.subspan((block - first) * block_bytes, end_of(tables_[table], block, next)));
    for (std::uint64_t b = block; b < next; ++b) checked[b].store(true, std::memory_order_relaxed);
  }
}

// The whole blocks of a range are compared where they have arrived; those at its ends are read for it.
void SealedReader::read_plain(std::size_t table, std::uint64_t offset, std::span<std::byte> out) const {
  const SealedTable& place = tables_[table];
  if (verify_ == Verify::never || out.empty()) return file_.read(place.offset + offset, out);
  const std::uint64_t last = offset + out.size();
  const std::uint64_t first_whole = (offset + block_bytes - 1) / block_bytes;
  const std::uint64_t end_whole = last == place.bytes ? place.blocks() : last / block_bytes;
  check_once(table, offset / block_bytes, std::min(first_whole, place.blocks()));
  if (end_whole >= first_whole) check_once(table, end_whole, (last + block_bytes - 1) / block_bytes);
  for (std::uint64_t done = 0; done < out.size();) {
    const std::uint64_t at = offset + done, block = at / block_bytes;
    const std::uint64_t until = std::min(last, (block + blocks_per_read) * block_bytes);
    const auto piece = out.subspan(done, until - at);
    file_.read(place.offset + at, piece);
    const std::uint64_t first = std::max(block, first_whole),
                        end = std::min(end_whole, block + blocks_per_read);
    if (first < end) compare_once(table, first, end, piece.subspan(first * block_bytes - at));
    done += piece.size();
  }
}

void SealedReader::decrypt(std::size_t table, std::uint64_t first, std::span<std::byte> bytes) const {
  const SealedTable& place = tables_[table];
  std::vector<Tag> tags((bytes.size() + block_bytes - 1) / block_bytes);
  file_.read(*place.tags + first * tag_bytes, std::as_writable_bytes(std::span(tags)));
  if (const auto wrong = ciphers_[table].open(first, block_bytes, bytes, tags))
    throw Error(fmt::format("{}: block {} of '{}' is not what was encrypted: it, or its tag, has changed",
                            file_.name().string(), *wrong, place.name));
}

void SealedReader::read_block(std::size_t table, std::uint64_t block, std::span<std::byte> out) const {
  file_.read(tables_[table].offset + block * block_bytes, out);
  decrypt(table, block, out);
}

// The part of a range that begins at `offset` and is decrypted in one go: whole blocks in place, else a piece
// of one.
std::uint64_t SealedReader::read_sealed(std::size_t table, std::uint64_t offset,
                                        std::span<std::byte> out) const {
  const SealedTable& place = tables_[table];
  const std::uint64_t block = offset / block_bytes, within = offset % block_bytes;
  const std::uint64_t in_block = place.bytes_of_block(block);
  if (within == 0 && out.size() >= in_block) {
    const bool to_the_end = out.size() == place.bytes - offset;
    const std::uint64_t whole = to_the_end ? place.blocks() - block : out.size() / block_bytes;
    const std::uint64_t bytes = end_of(place, block, block + std::min(whole, blocks_per_read));
    read_block(table, block, out.first(bytes));
    return bytes;
  }
  std::vector<std::byte> edge(in_block);
  read_block(table, block, edge);
  const std::uint64_t bytes = std::min<std::uint64_t>(out.size(), in_block - within);
  std::memcpy(out.data(), edge.data() + within, bytes);
  return bytes;
}

void SealedReader::read(std::size_t table, std::uint64_t offset, std::span<std::byte> out) const {
  require_inside(tables_.at(table), offset, out.size());
  if (ciphers_.empty()) return read_plain(table, offset, out);
  while (!out.empty()) {
    const std::uint64_t bytes = read_sealed(table, offset, out);
    out = out.subspan(bytes);
    offset += bytes;
  }
}

void SealedReader::read_pieces(std::size_t table, std::span<const std::uint64_t> offsets,
                               std::uint64_t piece_bytes, std::span<std::byte> out) const {
  if (out.size() != offsets.size() * piece_bytes)
    throw std::invalid_argument("read_pieces: the span does not fit");
  if (piece_bytes == 0) return;
  for (const std::uint64_t offset : offsets) require_inside(tables_.at(table), offset, piece_bytes);
  if (tables_[table].bytes <= small_table) {
    const auto from = kept(table);
    for (std::size_t i = 0; i < offsets.size(); ++i)
      std::memcpy(out.data() + i * piece_bytes, from.data() + offsets[i], piece_bytes);
    return;
  }
  ciphers_.empty() ? read_plain_pieces(table, offsets, piece_bytes, out)
                   : read_sealed_pieces(table, offsets, piece_bytes, out);
}

std::span<const std::byte> SealedReader::kept(std::size_t table) const {
  Kept& whole = kept_[table];
  std::call_once(whole.once, [&] {
    std::vector<std::byte> bytes(tables_[table].bytes);
    read(table, 0, bytes);
    whole.bytes = std::move(bytes);
  });
  return whole.bytes;
}

void SealedReader::read_plain_pieces(std::size_t table, std::span<const std::uint64_t> offsets,
                                     std::uint64_t piece_bytes, std::span<std::byte> out) const {
  for (std::size_t i = 0; i < offsets.size();) {
    std::size_t run = 1;  // neighbours in the file travel together
    while (i + run < offsets.size() && offsets[i + run] == offsets[i] + run * piece_bytes) ++run;
    const auto to = out.subspan(i * piece_bytes, run * piece_bytes);
    if (verify_ == Verify::once)
      check_once(table, offsets[i] / block_bytes, (offsets[i] + to.size() - 1) / block_bytes + 1);
    file_.read(tables_[table].offset + offsets[i], to);
    i += run;
  }
}

void SealedReader::read_sealed_pieces(std::size_t table, std::span<const std::uint64_t> offsets,
                                      std::uint64_t piece_bytes, std::span<std::byte> out) const {
  const SealedTable& place = tables_[table];
  std::vector<std::size_t> order(offsets.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return offsets[a] < offsets[b]; });
  std::vector<std::byte> block;
  std::uint64_t held = place.blocks();
  for (const std::size_t i : order) {
    for (std::uint64_t done = 0; done < piece_bytes;) {
      const std::uint64_t at = offsets[i] + done, number = at / block_bytes, within = at % block_bytes;
      if (number != held) {
        block.resize(place.bytes_of_block(number));
        read_block(table, number, block);
        held = number;
      }
      const std::uint64_t length = std::min<std::uint64_t>(piece_bytes - done, block.size() - within);
      std::memcpy(out.data() + i * piece_bytes + done, block.data() + within, length);
      done += length;
    }
  }
}

}  // namespace kernmill::storage
