#include "kernmill/storage/sealed/sealed_table.hpp"

#include <fmt/format.h>

#include "kernmill/base/sha256.hpp"

namespace kernmill::storage {
namespace {

constexpr const char* method = "aes-256-gcm";

[[noreturn]] void damaged(const hdf5::File& file, const std::string& what) {
  throw Error(fmt::format("{}: {} is damaged", file.path().string(), what));
}

Salt salt_of(const hdf5::File& file) {
  const std::string digits = file.read_text_attribute("encryption_salt");
  Salt salt{};
  if (digits.size() != 2 * salt.size() || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
    damaged(file, "the attribute 'encryption_salt'");
  for (std::size_t i = 0; i < salt.size(); ++i)
    salt[i] = static_cast<std::byte>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
  return salt;
}

}  // namespace

std::string checksums_of(const std::string& table) {
  return "checksums/" + table;
}

std::string tags_of(const std::string& table) {
  return "tags/" + table;
}

std::vector<std::string> datasets_of(const std::vector<SealedTable>& tables) {
  std::vector<std::string> datasets;
  for (const SealedTable& table : tables) {
    if (table.bytes == 0) continue;
    datasets.push_back(table.name);
    datasets.push_back(checksums_of(table.name));
    if (table.tags) datasets.push_back(tags_of(table.name));
  }
  return datasets;
}

void create_sealed_table(const hdf5::File& file, const std::string& name, hdf5::Type type,
                         const hdf5::Shape& shape, bool encrypted) {
  SealedTable table;
  table.bytes = hdf5::elements_of(shape) * size_of(type);
  for (const auto& path : {name, checksums_of(name), tags_of(name)})
    if (encrypted || path != tags_of(name)) file.create_groups_above(path);
  file.create_dataset(name, type, shape);
  file.create_dataset(checksums_of(name), hdf5::Type::u32, {table.blocks()});
  if (encrypted) file.create_dataset(tags_of(name), hdf5::Type::u8, {table.blocks(), tag_bytes});
}

SealedTable find_sealed_table(const hdf5::File& file, const std::string& name, hdf5::Type type,
                              std::size_t dimensions, bool encrypted, hdf5::Shape* shape) {
  const auto data = file.open_dataset(name, type, dimensions);
  const auto sums = file.open_dataset(checksums_of(name), hdf5::Type::u32, 1);
  SealedTable table{name, data.offset(), data.elements() * size_of(type), sums.offset(), {}};
  if (sums.elements() != table.blocks()) damaged(file, fmt::format("the list of checksums of '{}'", name));
  if (encrypted) {
    const auto tags = file.open_dataset(tags_of(name), hdf5::Type::u8, 2);
    if (tags.shape() != hdf5::Shape{table.blocks(), tag_bytes})
      damaged(file, fmt::format("the list of tags of '{}'", name));
    table.tags = tags.offset();
  }
  if (shape != nullptr) *shape = data.shape();
  return table;
}

void write_encryption(const hdf5::File& file, const FileCipher& cipher) {
  file.write_attribute("encryption", std::string(method));
  file.write_attribute("encryption_salt", hexadecimal(cipher.salt()));
  file.write_attribute("encryption_key_check", hexadecimal(cipher.key_check()));
}

bool is_encrypted(const hdf5::File& file) {
  return file.has_attribute("encryption");
}

std::optional<FileCipher> read_encryption(const hdf5::File& file, const std::optional<Key>& key) {
  if (!is_encrypted(file) && key)
    throw KeyError(fmt::format(
        "{}: is not encrypted, and what is read with a key has to be: somebody may have put it in the "
        "place of the encrypted one. Make it anew with the key, or leave the key out",
        file.path().string()));
  if (!is_encrypted(file)) return std::nullopt;
  const std::string name = file.path().string(), by = file.read_text_attribute("encryption");
  if (by != method)
    throw Error(fmt::format("{}: is encrypted by '{}'; this program knows {}", name, by, method));
  if (!key)
    throw KeyError(
        fmt::format("{}: is encrypted. Name its key: `encryption: {{key_file: FILE}}` in the workflow, or "
                    "--key-file FILE",
                    name));
  FileCipher cipher(*key, salt_of(file));
  if (file.read_text_attribute("encryption_key_check") != hexadecimal(cipher.key_check()))
    throw KeyError(fmt::format("{}: the key is not the one that it was encrypted with", name));
  return cipher;
}

}  // namespace kernmill::storage
