#include "kernmill/storage/sealed/footer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/file/raw_file.hpp"

namespace kernmill::storage {
namespace {

/// Bytes [begin, end) of a file.
struct Region {
  std::uint64_t begin = 0, end = 0;
};

/// Behind it come its length, its checksum, and these letters.
struct Footer {
  std::uint64_t file_bytes = 0;  ///< of what HDF5 wrote
  std::vector<Region> tables;    ///< ascending
  std::uint32_t checksum = 0;    ///< of all bytes before file_bytes that are in no table
};
constexpr std::string_view letters = "KMCHECK2";
constexpr std::uint64_t tail_bytes = 20;

std::string bytes_of(const Footer& footer) {
  Packer packer;
  packer.put(footer.file_bytes);
  packer.put(footer.tables);
  packer.put(footer.checksum);
  std::string bytes = packer.take();
  Packer tail;
  tail.put(std::uint64_t{bytes.size()});
  tail.put(crc32c(std::span<const char>(bytes)));
  return bytes + tail.take() + std::string(letters);
}

std::vector<Region> regions_of(const std::vector<SealedTable>& tables) {
  std::vector<Region> regions;
  const auto add = [&](std::uint64_t begin, std::uint64_t bytes) {
    if (bytes > 0) regions.push_back({begin, begin + bytes});
  };
  for (const SealedTable& table : tables) {
    add(table.offset, table.bytes);
    add(table.checksums, table.blocks() * sizeof(std::uint32_t));
    if (table.tags) add(*table.tags, table.blocks() * tag_bytes);
  }
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.begin < b.begin; });
  return regions;
}

std::uint32_t checksum_outside(const RawFile& file, const Footer& footer) {
  std::uint32_t checksum = 0;
  std::vector<std::byte> buffer;
  const auto add = [&](std::uint64_t begin, std::uint64_t end) {
    constexpr std::uint64_t piece = std::uint64_t{1} << 20;
    for (; begin < end; begin += buffer.size()) {
      buffer.resize(std::min(piece, end - begin));
      file.read(begin, buffer);
      checksum = crc32c(std::span<const std::byte>(buffer), checksum);
    }
  };
  std::uint64_t at = 0;
  for (const Region& table : footer.tables) {
    add(at, table.begin);
    at = table.end;
  }
  add(at, footer.file_bytes);
  return checksum;
}

std::string read_text(const RawFile& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  file.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

// Of `size` bytes that end with the letters.
Footer read_footer(const RawFile& file, std::uint64_t size, const std::string& tail) {
  const std::string name = file.name().string();
  std::uint64_t length = 0;
  std::uint32_t checksum = 0;
  Unpacker numbers(tail);
  numbers.get(length);
  numbers.get(checksum);
  if (length > size - tail_bytes)
    throw Error(fmt::format("{}: its footer is damaged. {}", name, why_a_footer_is_broken));
  const std::string bytes = read_text(file, size - tail_bytes - length, length);
  if (crc32c(std::span<const char>(bytes)) != checksum)
    throw Error(fmt::format("{}: checksum of the footer is wrong. {}", name, why_a_footer_is_broken));
  Footer footer;
  Unpacker unpacker(bytes);
  try {
    unpacker.get(footer.file_bytes);
    unpacker.get(footer.tables);
    unpacker.get(footer.checksum);
  } catch (const Error&) {
    throw Error(fmt::format("{}: its footer is damaged. {}", name, why_a_footer_is_broken));
  }
  if (footer.file_bytes + length + tail_bytes != size)
    throw Error(fmt::format("{}: is not as long as its footer says. {}", name, why_a_footer_is_broken));
  return footer;
}

}  // namespace

void append_footer(const std::filesystem::path& file, const std::filesystem::path& named,
                   const std::vector<SealedTable>& tables) {
  const RawFile out(file, named, RawFile::Access::write);
  Footer footer{std::filesystem::file_size(file), regions_of(tables), 0};
  footer.checksum = checksum_outside(out, footer);
  const std::string bytes = bytes_of(footer);
  out.write(footer.file_bytes, std::as_bytes(std::span(bytes)));
  out.sync();
}

bool has_sound_footer(const std::filesystem::path& file, const std::filesystem::path& named) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error || size < tail_bytes) return false;
  const RawFile in(file, named, RawFile::Access::read);
  const std::string tail = read_text(in, size - tail_bytes, tail_bytes);
  if (!tail.ends_with(letters)) return false;
  const Footer footer = read_footer(in, size, tail);
  if (checksum_outside(in, footer) != footer.checksum)
    throw Error(fmt::format("{}: checksum of the header is wrong: what is not in its tables has changed. {}",
                            named.string(), why_a_footer_is_broken));
  return true;
}

}  // namespace kernmill::storage
