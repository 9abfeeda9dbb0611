#include "kernmill/storage/checkpoint_file.hpp"

#include <fmt/format.h>

#include "kernmill/storage/commit.hpp"
#include "kernmill/storage/footer.hpp"
#include "kernmill/storage/format.hpp"
#include "kernmill/storage/hdf5.hpp"
#include "kernmill/storage/packed.hpp"

namespace kernmill::storage {
namespace {

using hdf5::Type;

constexpr const char* checkpoint_format = "kernmill-checkpoint";

std::string path_of(const TensorShape& tensor) {
  return "tensors/" + tensor.name;
}

void write_structure(const hdf5::File& out, CheckpointHeader& header,
                     const std::optional<FileCipher>& cipher) {
  write_format(out, checkpoint_format);
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
  require_format(file, checkpoint_format);
  if (version_of(file) != format_version)
    throw Error(fmt::format("{}: has format version {}; of checkpoints this program reads version {}",
                            file.path().string(), version_of(file), format_version));
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
  reserve_space(temporary, std::filesystem::file_size(temporary));
  append_footer(temporary, named, header.tables);
  return header;
}

void require_sound_structure(const std::filesystem::path& file, const std::filesystem::path& named) {
  if (!has_sound_footer(file, named))
    throw Error(fmt::format("{}: is cut short, or no checkpoint of format version 2", named.string()));
}

CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, const std::filesystem::path& named,
                                        const std::optional<Key>& key) {
  require_sound_structure(file, named);
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
