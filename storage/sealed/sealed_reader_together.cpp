#include <stdexcept>

#include "kernmill/storage/sealed/sealed_reader.hpp"
#include "kernmill/storage/sealed/together.hpp"

namespace kernmill::storage {

// The whole blocks travel together, and are proved where they have arrived; the pieces at both ends are this
// rank's own business. (Nobody changes a finished file: however it is read, the bytes are the same.)
void SealedReader::read_together(TableFile& from, std::size_t table, std::uint64_t offset,
                                 std::span<std::byte> out) const {
  const SealedTable& place = tables_.at(table);
  if (place.bytes == 0) return;
  Together together;
  Extent whole, own{offset, offset + out.size()};
  together.guard([&] {
    if (own.begin > place.bytes || own.bytes() > place.bytes - own.begin)
      throw std::out_of_range("what is to be read lies outside '" + place.name + "'");
    const std::uint64_t first = (own.begin + block_bytes - 1) / block_bytes;
    const std::uint64_t end = own.end == place.bytes ? place.blocks() : own.end / block_bytes;
    if (first < end) whole = {first * block_bytes, std::min(place.bytes, end * block_bytes)};
  });
  for (const Extent& round : from.rounds_to_read(whole)) {
    std::span<std::byte> piece;
    if (!together.failed() && !round.empty()) piece = out.subspan(round.begin - offset, round.bytes());
    together.call([&] { from.read({place.name, place.offset, round.begin}, piece); });
    together.guard([&] { prove(table, round.begin / block_bytes, piece); });
  }
  together.rethrow();
  if (whole.empty()) return read(table, offset, out);
  read(table, offset, out.first(whole.begin - own.begin));
  read(table, whole.end, out.subspan(whole.end - own.begin));
}

void SealedReader::prove(std::size_t table, std::uint64_t first, std::span<std::byte> blocks) const {
  if (blocks.empty()) return;
  if (!ciphers_.empty()) return decrypt(table, first, blocks);
  const std::uint64_t count = (blocks.size() + block_bytes - 1) / block_bytes;
  if (verify_ == Verify::once) compare_once(table, first, first + count, blocks);
}

}  // namespace kernmill::storage
