#include "kernmill/storage/hdf5/description.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/file/packed.hpp"

namespace kernmill::storage {
namespace {

void describe(const hdf5::File& file, const std::string& group, const std::vector<std::string>& without,
              Packer& packer) {
  for (const std::string& name : file.names_in(group)) {
    const std::string path = fmt::format("{}/{}", group, name);
    if (std::find(without.begin(), without.end(), path) != without.end()) continue;
    packer.put(path);
    if (file.is_group(path)) {
      describe(file, path, without, packer);
      continue;
    }
    const hdf5::RawValue value = file.read_raw(path);
    packer.put(value.type);
    packer.put(value.shape);
    packer.put(value.bytes);
  }
}

}  // namespace

std::string description_of(const hdf5::File& file, const std::string& group,
                           const std::vector<std::string>& without) {
  Packer packer;
  describe(file, group, without, packer);
  return packer.take();
}

}  // namespace kernmill::storage
