#include <algorithm>

#include <fmt/format.h>

#include "kernmill/storage/hdf5/hdf5_parts.hpp"
#include "kernmill/storage/hdf5/hdf5_reach.hpp"

// Texts, and the attributes of the root.

namespace kernmill::storage::hdf5 {

void File::write_strings(const std::string& name, const std::vector<std::string>& texts, hid_t space) const {
  const Context context = this->context("write '" + name + "'");
  std::size_t length = 1;
  for (const auto& text : texts) length = std::max(length, text.size());
  std::string padded;
  for (const auto& text : texts) padded += text + std::string(length - text.size(), '\0');
  const Handle type = string_type(length);
  const Handle list = untimed_list(H5P_DATASET_CREATE);
  const Handle dataset(
      H5Dcreate2(handle_.id(), name.c_str(), type.id(), space, H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Dclose,
      context);
  check(H5Dwrite(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), context);
}

std::vector<std::string> File::read_strings(const std::string& name, bool scalar) const {
  const Context context = this->context("read '" + name + "'");
  const Handle dataset = opened(name, context);
  const Handle type(H5Dget_type(dataset.id()), H5Tclose, context);
  const Shape shape = shape_of(dataset.id(), context);
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0 ||
      shape.size() != (scalar ? 0U : 1U))
    throw Error(fmt::format("{}: '{}' is not the text that it should be", path_.string(), name));
  constexpr std::uint64_t most_texts = std::uint64_t{1} << 28;
  if (elements_of(shape) > most_texts)
    throw Error(fmt::format("{}: '{}' has more than {} texts", path_.string(), name, most_texts));
  const std::size_t length = H5Tget_size(type.id());
  std::string padded(require_stored(dataset.id(), context), '\0');
  if (!padded.empty())
    check(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), context);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < padded.size(); at += length) {
    std::string text = padded.substr(at, length);
    text.resize(text.find_last_not_of('\0') + 1);
    texts.push_back(std::move(text));
  }
  return texts;
}

void File::write_text(const std::string& name, const std::string& text) const {
  write_strings(name, {text}, scalar_space().id());
}

std::string File::read_text(const std::string& name) const {
  return read_strings(name, true).at(0);
}

void File::write_texts(const std::string& name, const std::vector<std::string>& texts) const {
  write_strings(name, texts, simple_space({texts.size()}).id());
}

std::vector<std::string> File::read_texts(const std::string& name) const {
  return read_strings(name, false);
}

void File::write_attribute(const std::string& name, const std::string& text) const {
  const Context context = this->context("write the attribute '" + name + "'");
  const Handle type = string_type(text.size());
  const Handle space = scalar_space();
  const Handle attribute(
      H5Acreate2(handle_.id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      context);
  const std::string padded = text.empty() ? std::string(1, '\0') : text;
  check(H5Awrite(attribute.id(), type.id(), padded.data()), context);
}

void File::write_attribute(const std::string& name, std::uint64_t value) const {
  const Context context = this->context("write the attribute '" + name + "'");
  const Handle space = scalar_space();
  const Handle attribute(
      H5Acreate2(handle_.id(), name.c_str(), H5T_STD_U64LE, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      context);
  check(H5Awrite(attribute.id(), H5T_NATIVE_UINT64, &value), context);
}

bool File::has_attribute(const std::string& name) const {
  return check(H5Aexists(handle_.id(), name.c_str()), context("look for the attribute '" + name + "'")) > 0;
}

std::string File::read_text_attribute(const std::string& name) const {
  const Context context = this->context("read the attribute '" + name + "'");
  const Handle attribute(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Aclose, context);
  require_one_value(attribute.id(), H5T_STRING, context);
  const Handle type(H5Aget_type(attribute.id()), H5Tclose, context);
  std::string text(H5Tget_size(type.id()), '\0');
  check(H5Aread(attribute.id(), type.id(), text.data()), context);
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

std::uint64_t File::read_number_attribute(const std::string& name) const {
  const Context context = this->context("read the attribute '" + name + "'");
  const Handle attribute(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Aclose, context);
  require_one_value(attribute.id(), H5T_INTEGER, context);
  std::uint64_t value = 0;
  check(H5Aread(attribute.id(), H5T_NATIVE_UINT64, &value), context);
  return value;
}

void File::replace_attribute(const std::string& name, const std::string& text) const {
  const Context context = this->context("write the attribute '" + name + "'");
  const Handle attribute(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Aclose, context);
  const Handle type(H5Aget_type(attribute.id()), H5Tclose, context);
  require_one_value(attribute.id(), H5T_STRING, context);
  if (H5Tget_size(type.id()) != text.size())
    throw Error(fmt::format("{}: the attribute '{}' is of another length", path_.string(), name));
  check(H5Awrite(attribute.id(), type.id(), text.data()), context);
}

}  // namespace kernmill::storage::hdf5
