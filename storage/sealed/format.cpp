#include "kernmill/storage/sealed/format.hpp"

#include <fmt/format.h>

namespace kernmill::storage {

void write_format(const hdf5::File& file, const std::string& format, std::uint64_t version) {
  file.write_attribute("format", format);
  file.write_attribute("format_version", version);
}

void require_format(const hdf5::File& file, const std::string& format, std::uint64_t newest) {
  const std::string name = file.path().string();
  if (!file.has_attribute("format"))
    throw Error(fmt::format("{}: is an HDF5 file, but no {}: Kernmill did not write it", name, format));
  const std::string actual = file.read_text_attribute("format");
  if (actual != format) throw Error(fmt::format("{}: is a {}, not a {}", name, actual, format));
  const std::uint64_t version = version_of(file);
  if (version < 1 || version > newest)
    throw Error(fmt::format(
        "{}: has format version {}; of a {} this program reads versions 1 to {}. {}", name, version, format,
        newest,
        version > newest ? "A newer Kernmill wrote it: read it with that one, or make it anew with this one"
                         : "It has to be made anew"));
}

std::uint64_t version_of(const hdf5::File& file) {
  return file.read_number_attribute("format_version");
}

void write_tensor_list(const hdf5::File& file, const std::vector<ListedTensor>& tensors) {
  std::vector<std::string> names, types;
  std::vector<std::uint64_t> dimensions;
  for (const ListedTensor& tensor : tensors) {
    names.push_back(tensor.name);
    dimensions.push_back(tensor.dimensions);
    types.emplace_back(to_string(tensor.type));
  }
  file.write_texts("names", names);
  file.write_all<std::uint64_t>("dimensions", hdf5::Type::u64, dimensions);
  file.write_texts("types", types);
}

std::vector<ListedTensor> read_tensor_list(const hdf5::File& file) {
  const auto names = file.read_texts("names");
  const auto dimensions = file.read_all<std::uint64_t>("dimensions", hdf5::Type::u64);
  // Before format version 3 all were float64.
  const auto types =
      file.has("types") ? file.read_texts("types") : std::vector<std::string>(names.size(), "float64");
  const auto damaged = [&] {
    throw Error(fmt::format("{}: the list of tensors is damaged", file.path().string()));
  };
  if (names.size() != dimensions.size() || names.size() != types.size()) damaged();
  std::vector<ListedTensor> tensors;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto type = element_of(types[i]);
    if (!type) damaged();
    tensors.push_back({names[i], dimensions[i], *type});
  }
  return tensors;
}

}  // namespace kernmill::storage
