#include "kernmill/storage/checkpoint_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/crc32c.hpp"
#include "kernmill/storage/hdf5.hpp"
#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace {

using hdf5::Type;

constexpr const char* checkpoint_format = "kernmill-checkpoint";
constexpr std::uint64_t checkpoint_version = 2;

/// Bytes [begin, end) of a file.
struct Region {
  std::uint64_t begin = 0, end = 0;
};

/// What stands behind the HDF5 file: the packed footer, its length, its checksum, and these letters.
struct Footer {
  std::uint64_t file_bytes = 0;  ///< of what HDF5 wrote
  std::vector<Region> tables;    ///< ascending
  std::uint32_t checksum = 0;    ///< of all bytes before file_bytes that are in no table
};
constexpr std::string_view letters = "KMCHECK2";
constexpr std::uint64_t tail_bytes = 20;

std::string packed(const Footer& footer) {
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

std::string read_text(const BlockFile& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  file.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

Footer read_footer(const BlockFile& file, const std::filesystem::path& named) {
  const auto refuse = [&] {
    return Error(
        fmt::format("{}: is cut short, or no checkpoint of format version 2", named.string()));
  };
  const std::uint64_t size = file.size();
  if (size < tail_bytes) throw refuse();
  const std::string tail = read_text(file, size - tail_bytes, tail_bytes);
  if (!tail.ends_with(letters)) throw refuse();
  std::uint64_t length = 0;
  std::uint32_t checksum = 0;
  Unpacker numbers(tail);
  numbers.get(length);
  numbers.get(checksum);
  if (length > size - tail_bytes) throw refuse();
  const std::string bytes = read_text(file, size - tail_bytes - length, length);
  if (crc32c(std::span<const char>(bytes)) != checksum)
    throw Error(fmt::format("{}: checksum of the footer is wrong", named.string()));
  Footer footer;
  Unpacker unpacker(bytes);
  unpacker.get(footer.file_bytes);
  unpacker.get(footer.tables);
  unpacker.get(footer.checksum);
  if (footer.file_bytes + length + tail_bytes != size) throw refuse();
  return footer;
}

std::uint32_t checksum_outside(const BlockFile& file, const Footer& footer) {
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

Footer footer_of(const BlockFile& file, const CheckpointHeader& header) {
  Footer footer{file.size(), {}, 0};
  for (const TensorPlace& place : header.places) {
    if (place.elements() == 0) continue;
    footer.tables.push_back({place.data, place.data + place.elements() * sizeof(double)});
    footer.tables.push_back(
        {place.checksums, place.checksums + blocks_of(place.elements()) * sizeof(std::uint32_t)});
  }
  std::sort(footer.tables.begin(), footer.tables.end(),
            [](const Region& a, const Region& b) { return a.begin < b.begin; });
  footer.checksum = checksum_outside(file, footer);
  return footer;
}

void write_structure(const hdf5::File& out, CheckpointHeader& header) {
  out.write_attribute("format", checkpoint_format);
  out.write_attribute("format_version", checkpoint_version);
  out.write_attribute("step", header.step);
  out.write_text("state", header.state);
  out.create_group("tensors");
  out.create_group("checksums");
  std::vector<std::string> names;
  std::vector<std::uint64_t> dimensions;
  for (TensorPlace& place : header.places) {
    const auto& [name, shape] = place.tensor;
    names.push_back(name);
    dimensions.push_back(shape.size());
    const auto data = out.create_dataset("tensors/" + name, Type::f64, shape);
    const auto sums = out.create_dataset("checksums/" + name, Type::u32, {blocks_of(place.elements())});
    if (place.elements() == 0) continue;
    place.data = data.offset();
    place.checksums = sums.offset();
  }
  out.write_texts("names", names);
  out.write_all<std::uint64_t>("dimensions", Type::u64, dimensions);
}

void require_checkpoint(const hdf5::File& file) {
  const std::string named = file.path().string();
  if (!file.has_attribute("format") || file.read_text_attribute("format") != checkpoint_format)
    throw Error(fmt::format("{}: is no {}", named, checkpoint_format));
  const std::uint64_t version = file.read_number_attribute("format_version");
  if (version != checkpoint_version)
    throw Error(fmt::format("{}: has format version {}; this program reads version {}", named, version,
                            checkpoint_version));
}

TensorPlace read_place(const hdf5::File& file, const std::string& name, std::uint64_t dimensions) {
  const auto data = file.open_dataset("tensors/" + name, Type::f64, dimensions);
  const auto sums = file.open_dataset("checksums/" + name, Type::u32, 1);
  TensorPlace place{{name, data.shape()}};
  if (sums.elements() != blocks_of(place.elements()))
    throw Error(fmt::format("{}: the checksums of '{}' are incomplete", file.path().string(), name));
  if (place.elements() == 0) return place;
  place.data = data.offset();
  place.checksums = sums.offset();
  return place;
}

}  // namespace

std::uint64_t TensorPlace::elements() const {
  return hdf5::elements_of(tensor.shape);
}

CheckpointHeader create_checkpoint_file(const std::filesystem::path& temporary,
                                        const std::filesystem::path& named, CheckpointHeader header) {
  fail_at("create", named);
  remove_quietly(temporary);
  auto out = hdf5::File::create(temporary, named);
  write_structure(out, header);
  out.close();
  const BlockFile file(temporary, named, BlockFile::Mode::write);
  const std::uint64_t size = file.size();
  const std::string footer = packed(footer_of(file, header));
  reserve_space(temporary, size + footer.size());
  file.write(size, std::as_bytes(std::span(footer)));
  return header;
}

void require_sound_structure(const BlockFile& file, const std::filesystem::path& named) {
  const Footer footer = read_footer(file, named);
  if (checksum_outside(file, footer) != footer.checksum)
    throw Error(fmt::format("{}: checksum of the header is wrong", named.string()));
}

CheckpointHeader read_checkpoint_header(const std::filesystem::path& file,
                                        const std::filesystem::path& named) {
  require_sound_structure(BlockFile(file, named, BlockFile::Mode::read), named);
  const auto in = hdf5::File::open(file, named);
  require_checkpoint(in);
  CheckpointHeader header{in.read_number_attribute("step"), in.read_text("state"), {}};
  const auto names = in.read_texts("names");
  const auto dimensions = in.read_all<std::uint64_t>("dimensions", Type::u64);
  if (names.size() != dimensions.size())
    throw Error(fmt::format("{}: the list of tensors is damaged", named.string()));
  for (std::size_t i = 0; i < names.size(); ++i)
    header.places.push_back(read_place(in, names[i], dimensions[i]));
  return header;
}

std::string packed(const CheckpointHeader& header) {
  Packer packer;
  packer.put(header.step);
  packer.put(header.state);
  packer.put(std::uint64_t{header.places.size()});
  for (const TensorPlace& place : header.places) {
    packer.put(place.tensor.name);
    packer.put(place.tensor.shape);
    packer.put(place.data);
    packer.put(place.checksums);
  }
  return packer.take();
}

CheckpointHeader unpacked_header(std::string_view bytes) {
  CheckpointHeader header;
  Unpacker unpacker(bytes);
  unpacker.get(header.step);
  unpacker.get(header.state);
  std::uint64_t count = 0;
  unpacker.get(count);
  header.places.resize(count);
  for (TensorPlace& place : header.places) {
    unpacker.get(place.tensor.name);
    unpacker.get(place.tensor.shape);
    unpacker.get(place.data);
    unpacker.get(place.checksums);
  }
  return header;
}

}  // namespace kernmill::storage
