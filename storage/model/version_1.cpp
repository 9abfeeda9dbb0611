#include "kernmill/storage/model/version_1.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "kernmill/storage/dataset/packed_schema.hpp"
#include "kernmill/storage/file/crc32c.hpp"
#include "kernmill/storage/sealed/format.hpp"

namespace kernmill::storage {
namespace {

using hdf5::Type;

constexpr std::uint64_t bytes_per_block = std::uint64_t{1} << 20;

std::vector<std::uint32_t> block_checksums(std::span<const std::byte> all) {
  std::vector<std::uint32_t> sums;
  for (std::uint64_t at = 0; at < all.size(); at += bytes_per_block)
    sums.push_back(crc32c(all.subspan(at, std::min<std::uint64_t>(bytes_per_block, all.size() - at))));
  return sums;
}

Tensor read_tensor(const hdf5::File& file, const std::string& group, const ListedTensor& listed) {
  const std::string& name = listed.name;
  const auto dataset = file.open_dataset(group + "/" + name, Type::f64, listed.dimensions);
  Tensor tensor{name, dataset.shape(), {Element::f64, dataset.elements()}};
  dataset.read({0, tensor.shape.at(0)}, tensor.data.bytes.data());
  const auto stored = file.read_all<std::uint32_t>("checksums/" + name, Type::u32);
  const auto actual = block_checksums(tensor.data.bytes);
  if (stored.size() != actual.size())
    throw Error(fmt::format("{}: the checksums of '{}' are incomplete", file.path().string(), name));
  const auto wrong = std::mismatch(stored.begin(), stored.end(), actual.begin()).first;
  if (wrong != stored.end())
    throw Error(fmt::format("{}: checksum of block {} of '{}' is wrong", file.path().string(),
                            wrong - stored.begin(), name));
  return tensor;
}

/// As version 1 packed it.
std::string packed_version_1(const Schema& schema) {
  std::vector<double> mean, scale;
  for (const Step& step : schema.steps) {  // one at most: that of the file's `mean` and `scale`
    const auto half = step.numbers.begin() + static_cast<std::ptrdiff_t>(step.numbers.size() / 2);
    mean.assign(step.numbers.begin(), half);
    scale.assign(half, step.numbers.end());
  }
  return packed(std::tie(schema.features, mean, scale, schema.target, schema.target_kind, schema.classes,
                         schema.target_names, schema.series.transform, schema.series.window,
                         schema.series.horizon, schema.series.columns, schema.source));
}

std::string header_of_version_1(const Model& model) {
  Packer packer;
  packer.put(model.type);
  packer.put(model.settings);
  packer.put(packed_version_1(model.schema));
  for (const Tensor& tensor : model.parameters) {
    packer.put(tensor.name);
    packer.put(tensor.shape);
  }
  return packer.take();
}

}  // namespace

std::vector<Tensor> read_tensors_of_version_1(const hdf5::File& file, const std::string& group) {
  std::vector<Tensor> tensors;
  for (const ListedTensor& tensor : read_tensor_list(file))
    tensors.push_back(read_tensor(file, group, tensor));
  return tensors;
}

void require_header_checksum(const hdf5::File& file, const Model& model) {
  const std::string bytes = header_of_version_1(model);
  if (file.read_number_attribute("header_crc32c") != crc32c(std::span<const char>(bytes)))
    throw Error(fmt::format("{}: checksum of the header is wrong", file.path().string()));
}

}  // namespace kernmill::storage
