#include "kernmill/storage/hdf5/file_kind.hpp"

#include <array>
#include <string>

#include <fmt/format.h>

#include "kernmill/storage/hdf5/hdf5.hpp"

namespace kernmill::storage {

const char* to_string(FileKind kind) {
  switch (kind) {
    case FileKind::dataset:
      return "dataset";
    case FileKind::model:
      return "model";
    case FileKind::checkpoint:
      return "checkpoint";
    case FileKind::history:
      break;
  }
  return "history";
}

FileKind kind_of(const std::filesystem::path& file) {
  const auto open = hdf5::File::open(file, file);
  const std::string format = open.has_attribute("format") ? open.read_text_attribute("format") : "";
  for (const FileKind kind :
       std::array{FileKind::dataset, FileKind::model, FileKind::checkpoint, FileKind::history})
    if (format == fmt::format("kernmill-{}", to_string(kind))) return kind;
  throw Error(fmt::format("{}: is an HDF5 file, but none of Kernmill's", file.string()));
}

bool is_encrypted_file(const std::filesystem::path& file) {
  return hdf5::File::open(file, file).has_attribute("encryption");
}

}  // namespace kernmill::storage
