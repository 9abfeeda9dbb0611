#include "kernmill/storage/sealed/sealed_file.hpp"

#include <fmt/format.h>

#include "kernmill/storage/file/commit.hpp"
#include "kernmill/storage/sealed/footer.hpp"
#include "kernmill/storage/sealed/sealed_reader.hpp"

namespace kernmill::storage {
namespace {

constexpr const char* content_table = "sealed/content";

std::string image_of(const std::filesystem::path& named,
                     const std::function<void(const hdf5::File&)>& about) {
  const auto file = hdf5::File::create_in_memory(named);
  about(file);
  return file.image();
}

hdf5::File open_content(const std::filesystem::path& file, const hdf5::File& in, const FileCipher& cipher) {
  const SealedTable table = find_sealed_table(in, content_table, hdf5::Type::u8, 1, true);
  std::string image(table.bytes, '\0');
  SealedReader(file, in.path(), {table}, cipher, Verify::once)
      .read(0, 0, std::as_writable_bytes(std::span(image)));
  return hdf5::File::open_image(image, in.path());
}

}  // namespace

MadeFile make_sealed_file(const std::filesystem::path& temporary, const std::filesystem::path& named,
                          const Structure& structure, const std::optional<Key>& key, const Hints& hints) {
  MadeFile made;
  fail_at("create", named);
  remove_leftovers(named);
  auto out = hdf5::File::create(temporary, named, stripes_of(hints));
  write_format(out, structure.format, structure.version);
  structure.attributes(out);
  auto tables = structure.tables;
  if (key) {
    made.cipher.emplace(*key);
    write_encryption(out, *made.cipher);
    made.content = image_of(named, structure.about);
    tables.push_back({content_table, hdf5::Type::u8, {made.content.size()}});
  } else {
    structure.about(out);
  }
  for (const auto& [name, type, shape] : tables)
    create_sealed_table(out, name, type, shape, made.cipher.has_value());
  for (const auto& [name, type, shape] : tables)
    made.tables.push_back(find_sealed_table(out, name, type, shape.size(), made.cipher.has_value()));
  out.close();
  return made;
}

OpenedFile open_sealed_file(const std::filesystem::path& file, const std::filesystem::path& named,
                            const std::string& format, const std::optional<Key>& key, std::uint64_t newest) {
  const bool sound = std::filesystem::is_regular_file(file) && has_sound_footer(file, named);
  OpenedFile opened{hdf5::File::open(file, named), std::nullopt, std::nullopt};
  require_format(opened.file, format, newest);
  if (!sound && version_of(opened.file) > 1)
    throw Error(
        fmt::format("{}: is cut short: its footer is missing. {}", named.string(), why_a_footer_is_broken));
  opened.cipher = read_encryption(opened.file, key);
  if (opened.cipher) opened.content = open_content(file, opened.file, *opened.cipher);
  return opened;
}

}  // namespace kernmill::storage
