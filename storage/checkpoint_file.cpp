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

std::string read_text(const RawFile& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  file.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

Footer read_footer(const RawFile& file) {
  const std::string named = file.name().string();
  const auto refuse = [&] {
    return Error(fmt::format("{}: is cut short, or no checkpoint of format version 2", named));
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
    throw Error(fmt::format("{}: checksum of the footer is wrong", named));
  Footer footer;
  Unpacker unpacker(bytes);
  unpacker.get(footer.file_bytes);
  unpacker.get(footer.tables);
  unpacker.get(footer.checksum);
  if (footer.file_bytes + length + tail_bytes != size) throw refuse();
  return footer;
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

Footer footer_of(const RawFile& file, const CheckpointHeader& header) {
  Footer footer{file.size(), {}, 0};
  const auto add = [&](std::uint64_t begin, std::uint64_t bytes) {
    if (bytes > 0) footer.tables.push_back({begin, begin + bytes});
  };
  for (const SealedTable& table : header.tables) {
    add(table.offset, table.bytes);
    add(table.checksums, table.blocks() * sizeof(std::uint32_t));
    if (table.tags) add(*table.tags, table.blocks() * tag_bytes);
  }
  std::sort(footer.tables.begin(), footer.tables.end(),
            [](const Region& a, const Region& b) { return a.begin < b.begin; });
  footer.checksum = checksum_outside(file, footer);
  return footer;
}

std::string path_of(const TensorShape& tensor) {
  return "tensors/" + tensor.name;
}

void write_structure(const hdf5::File& out, CheckpointHeader& header,
                     const std::optional<FileCipher>& cipher) {
  out.write_attribute("format", checkpoint_format);
  out.write_attribute("format_version", checkpoint_version);
  if (cipher) write_encryption(out, *cipher);
  out.write_attribute("step", header.step);
  out.write_text("state", header.state);
  std::vector<std::string> names;
  std::vector<std::uint64_t> dimensions;
  for (const TensorShape& tensor : header.tensors) {
    names.push_back(tensor.name);
    dimensions.push_back(tensor.shape.size());
    create_sealed_table(out, path_of(tensor), Type::f64, tensor.shape, cipher.has_value());
    header.tables.push_back(
        find_sealed_table(out, path_of(tensor), Type::f64, tensor.shape.size(), cipher.has_value()));
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

void read_tables(const hdf5::File& in, CheckpointHeader& header) {
  const auto names = in.read_texts("names");
  const auto dimensions = in.read_all<std::uint64_t>("dimensions", Type::u64);
  if (names.size() != dimensions.size())
    throw Error(fmt::format("{}: the list of tensors is damaged", in.path().string()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    TensorShape tensor{names[i], {}};
    header.tables.push_back(find_sealed_table(in, path_of(tensor), Type::f64, dimensions[i],
                                              header.salt.has_value(), &tensor.shape));
    header.tensors.push_back(std::move(tensor));
  }
}

}  // namespace

CheckpointHeader create_checkpoint_file(const std::filesystem::path& temporary,
                                        const std::filesystem::path& named, CheckpointHeader header,
                                        const std::optional<Key>& key) {
  fail_at("create", named);
  remove_quietly(temporary);
  std::optional<FileCipher> cipher;
  if (key) header.salt = cipher.emplace(*key).salt();
  auto out = hdf5::File::create(temporary, named);
  write_structure(out, header, cipher);
  out.close();
  const RawFile file(temporary, named, RawFile::Access::write);
  const std::uint64_t size = file.size();
  const std::string footer = packed(footer_of(file, header));
  reserve_space(temporary, size + footer.size());
  file.write(size, std::as_bytes(std::span(footer)));
  return header;
}

void require_sound_structure(const RawFile& file) {
  const Footer footer = read_footer(file);
  if (checksum_outside(file, footer) != footer.checksum)
    throw Error(fmt::format("{}: checksum of the header is wrong", file.name().string()));
}

CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, const std::filesystem::path& named,
                                        const std::optional<Key>& key) {
  require_sound_structure(RawFile(file, named, RawFile::Access::read));
  const auto in = hdf5::File::open(file, named);
  require_checkpoint(in);
  CheckpointHeader header{in.read_number_attribute("step"), in.read_text("state"), {}, {}, {}};
  if (const auto cipher = read_encryption(in, key)) header.salt = cipher->salt();
  read_tables(in, header);
  return header;
}

std::optional<FileCipher> cipher_of(const CheckpointHeader& header, const std::optional<Key>& key) {
  if (!header.salt) return std::nullopt;
  return FileCipher(*key, *header.salt);
}

std::string packed(const CheckpointHeader& header) {
  Packer packer;
  packer.put(header.step);
  packer.put(header.state);
  packer.put(std::uint64_t{header.tensors.size()});
  for (const TensorShape& tensor : header.tensors) {
    packer.put(tensor.name);
    packer.put(tensor.shape);
  }
  packer.put(packed(header.tables));
  packer.put(header.salt.has_value());
  packer.put(header.salt.value_or(Salt{}));
  return packer.take();
}

CheckpointHeader unpacked_header(std::string_view bytes) {
  CheckpointHeader header;
  Unpacker unpacker(bytes);
  unpacker.get(header.step);
  unpacker.get(header.state);
  std::uint64_t count = 0;
  unpacker.get(count);
  header.tensors.resize(count);
  for (TensorShape& tensor : header.tensors) {
    unpacker.get(tensor.name);
    unpacker.get(tensor.shape);
  }
  std::string tables;
  unpacker.get(tables);
  header.tables = unpacked_tables(tables);
  bool encrypted = false;
  unpacker.get(encrypted);
  Salt salt{};
  unpacker.get(salt);
  if (encrypted) header.salt = salt;
  return header;
}

}  // namespace kernmill::storage
