#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/storage/sealed/format.hpp"
#include "kernmill/storage/sealed/sealed_table.hpp"
#include "kernmill/storage/transport/hints.hpp"

/// Private to storage/: an HDF5 file of sealed tables. What is in no table (a schema, settings, texts) is
/// written by a function. In a plain file it lies beside the tables. In an encrypted one it is an HDF5 file
/// in memory, whose bytes are one more table: `/sealed/content`.
namespace kernmill::storage {

struct NewTable {
  std::string name;
  hdf5::Type type;
  hdf5::Shape shape;
};

/// What a file is to be. `attributes` are plain in any case.
struct Structure {
  std::string format;
  std::vector<NewTable> tables;
  std::function<void(const hdf5::File&)> attributes, about;
  std::uint64_t version = format_version;
};

/// A file that has its structure, and no content yet.
struct MadeFile {
  std::vector<SealedTable> tables;  ///< in the order of the structure; then that of the content, if encrypted
  std::optional<FileCipher> cipher;
  std::string content;  ///< the bytes of that last table
};
/// The `hints` that are of its stripes count here, and only here.
MadeFile make_sealed_file(const std::filesystem::path& temporary, const std::filesystem::path& named,
                          const Structure& structure, const std::optional<Key>& key, const Hints& hints = {});

/// An open file. One rank's.
struct OpenedFile {
  hdf5::File file;
  std::optional<FileCipher> cipher;
  std::optional<hdf5::File> content;
  [[nodiscard]] const hdf5::File& about() const { return content ? *content : file; }
};
/// Throws when it is of another format, of a version after `newest` or damaged outside of its tables, or when
/// the key is not right.
OpenedFile open_sealed_file(const std::filesystem::path& file, const std::filesystem::path& named,
                            const std::string& format, const std::optional<Key>& key,
                            std::uint64_t newest = format_version);

}  // namespace kernmill::storage
