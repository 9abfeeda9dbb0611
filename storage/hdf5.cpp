#include "kernmill/storage/hdf5.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

namespace kernmill::storage::hdf5 {
namespace {

constexpr std::uint64_t bytes_per_call = std::uint64_t{1} << 30;  // larger transfers fail in some versions

herr_t keep_innermost(unsigned, const H5E_error2_t* entry, void* into) {
  if (entry->desc != nullptr && *entry->desc != '\0') {
    *static_cast<std::string*>(into) = entry->desc;
    return 1;  // the walk goes outwards: the first is the cause
  }
  return 0;
}

// "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = 0x..." says
// more than a user wants to know.
std::string shortened(const std::string& reason) {
  constexpr std::string_view marker = "error message = '";
  const auto at = reason.find(marker);
  if (at == std::string::npos) return reason;
  const auto begin = at + marker.size();
  return reason.substr(begin, reason.find('\'', begin) - begin);
}

std::string reason_of_failure() {
  std::string reason = "HDF5 gives no reason";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &reason);
  H5Eclear2(H5E_DEFAULT);
  return shortened(reason);
}

hid_t memory_type(Type type) {
  switch (type) {
    case Type::u64:
      return H5T_NATIVE_UINT64;
    case Type::u32:
      return H5T_NATIVE_UINT32;
    case Type::u8:
      return H5T_NATIVE_UINT8;
    default:
      return H5T_NATIVE_DOUBLE;
  }
}

hid_t file_type(Type type) {
  switch (type) {
    case Type::u64:
      return H5T_STD_U64LE;
    case Type::u32:
      return H5T_STD_U32LE;
    case Type::u8:
      return H5T_STD_U8LE;
    default:
      return H5T_IEEE_F64LE;
  }
}

std::uint64_t size_of(Type type) {
  return type == Type::u8 ? 1 : type == Type::u32 ? 4 : 8;
}

Handle property_list(hid_t kind) {
  return {H5Pcreate(kind), H5Pclose, {{}, "make an HDF5 property list"}};
}

// What 1.10 can read, whichever version writes.
Handle access_list() {
  Handle list = property_list(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(list.id(), H5F_LIBVER_V18, H5F_LIBVER_V110), {{}, "set the version bounds"});
  return list;
}

Handle untimed_list(hid_t kind) {  // equal content, equal bytes
  Handle list = property_list(kind);
  check(H5Pset_obj_track_times(list.id(), 0), {{}, "turn off object times"});
  return list;
}

Handle string_type(std::size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, {{}, "make a string type"});
  check(H5Tset_size(type.id(), std::max<std::size_t>(length, 1)), {{}, "size a string type"});
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  return type;
}

Handle simple_space(const Shape& shape) {
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
          H5Sclose,
          {{}, "make a data space"}};
}

Handle scalar_space() {
  return {H5Screate(H5S_SCALAR), H5Sclose, {{}, "make a data space"}};
}

Shape shape_of(hid_t dataset, const Context& context) {
  const Handle space(H5Dget_space(dataset), H5Sclose, context);
  const auto rank = check(H5Sget_simple_extent_ndims(space.id()), context);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  check(H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr), context);
  return {dims.begin(), dims.end()};
}

}  // namespace

std::int64_t check(std::int64_t status, const Context& context) {
  if (status < 0)
    throw Error(fmt::format("{}: cannot {}: {}", context.file.string(), context.what, reason_of_failure()));
  return status;
}

Handle::Handle(hid_t id, Close closer, const Context& context) : id_(id), close_(closer) {
  check(id, context);
}

void Handle::reset() noexcept {
  if (id_ >= 0) close_(id_);
  id_ = H5I_INVALID_HID;
}

void Handle::close(const Context& context) {
  check(close_(std::exchange(id_, H5I_INVALID_HID)), context);
}

std::uint64_t elements_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>{});
}

std::uint64_t Dataset::row_elements() const {
  return std::accumulate(shape_.begin() + 1, shape_.end(), std::uint64_t{1}, std::multiplies<>{});
}

std::uint64_t Dataset::rows_per_call() const {
  const std::uint64_t row = row_elements() * size_of(type_);
  return std::max<std::uint64_t>(1, row == 0 ? bytes_per_call : bytes_per_call / row);
}

Context Dataset::context(const char* verb) const {
  return {context_.file, fmt::format("{} '{}'", verb, context_.what)};
}

std::uint64_t Dataset::offset() const {
  if (elements() == 0) return 0;
  const haddr_t offset = H5Dget_offset(handle_.id());
  if (offset == HADDR_UNDEF)
    throw Error(fmt::format("{}: '{}' is not contiguous", context_.file.string(), context_.what));
  return offset;
}

void Dataset::transfer(Direction direction, Rows rows, void* data) const {
  const bool reading = direction == Direction::read;
  const Context context = this->context(reading ? "read" : "write");
  Shape count = shape_;
  count.at(0) = rows.count;
  const Handle memory = simple_space(count);
  const Handle space(H5Dget_space(handle_.id()), H5Sclose, context);
  const std::vector<hsize_t> extent(count.begin(), count.end());
  std::vector<hsize_t> start(shape_.size(), 0);
  start[0] = rows.first;
  if (elements_of(count) == 0) {
    check(H5Sselect_none(space.id()), context);
    check(H5Sselect_none(memory.id()), context);
  } else {
    check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
          context);
  }
  const hid_t type = memory_type(type_);
  check(reading ? H5Dread(handle_.id(), type, memory.id(), space.id(), H5P_DEFAULT, data)
                : H5Dwrite(handle_.id(), type, memory.id(), space.id(), H5P_DEFAULT, data),
        context);
}

void Dataset::read(Rows rows, void* out) const {
  auto* at = static_cast<std::byte*>(out);
  for (std::uint64_t done = 0; done < rows.count;) {
    const Rows part{rows.first + done, std::min(rows_per_call(), rows.count - done)};
    transfer(Direction::read, part, at + done * row_elements() * size_of(type_));
    done += part.count;
  }
}

void Dataset::write(Rows rows, const void* data) const {
  auto* at = static_cast<std::byte*>(const_cast<void*>(data));
  for (std::uint64_t done = 0; done < rows.count;) {
    const Rows part{rows.first + done, std::min(rows_per_call(), rows.count - done)};
    transfer(Direction::write, part, at + done * row_elements() * size_of(type_));
    done += part.count;
  }
}

namespace {

// HDF5 opens anything that it can make sense of; these answers are clearer than its own.
void require_hdf5(const std::filesystem::path& file, const std::filesystem::path& named) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  const auto refuse = [&](const char* why) { throw Error(fmt::format("{}: {}", named.string(), why)); };
  if (!std::filesystem::exists(status)) refuse("there is no such file");
  if (!std::filesystem::is_regular_file(status)) refuse("is not a regular file");
  std::array<char, 8> start{};
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(fmt::format("{}: cannot read it: {}", named.string(), std::strerror(errno)));
  in.read(start.data(), start.size());
  if (std::string_view(start.data(), start.size()) != "\x89HDF\r\n\x1a\n") refuse("is not an HDF5 file");
}

}  // namespace

File File::create(const std::filesystem::path& file, const std::filesystem::path& named) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Handle list = access_list();
  Handle created(H5Fcreate(file.c_str(), H5F_ACC_EXCL, untimed_list(H5P_FILE_CREATE).id(), list.id()),
                 H5Fclose, {named, "create it"});
  std::filesystem::permissions(file,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return {std::move(created), named};
}

File File::open(const std::filesystem::path& file, const std::filesystem::path& named) {
  require_hdf5(file, named);
  const Handle list = access_list();
  return {Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, list.id()), H5Fclose, {named, "open it"}), named};
}

File File::open_to_write(const std::filesystem::path& file, const std::filesystem::path& named) {
  require_hdf5(file, named);
  const Handle list = access_list();
  return {Handle(H5Fopen(file.c_str(), H5F_ACC_RDWR, list.id()), H5Fclose, {named, "open it"}), named};
}

void File::create_group(const std::string& name) const {
  const Handle list = untimed_list(H5P_GROUP_CREATE);
  const Context context = this->context("create the group '" + name + "'");
  const Handle group(H5Gcreate2(handle_.id(), name.c_str(), H5P_DEFAULT, list.id(), H5P_DEFAULT), H5Gclose,
                     context);
}

void File::create_groups_above(const std::string& name) const {
  for (auto at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1))
    if (const std::string group = name.substr(0, at); !has(group)) create_group(group);
}

Dataset File::create_dataset(const std::string& name, Type type, const Shape& shape) const {
  const Context context = this->context("create '" + name + "'");
  const Handle list = untimed_list(H5P_DATASET_CREATE);
  check(H5Pset_layout(list.id(), H5D_CONTIGUOUS), context);
  check(H5Pset_alloc_time(list.id(), H5D_ALLOC_TIME_EARLY), context);
  check(H5Pset_fill_time(list.id(), H5D_FILL_TIME_NEVER), context);
  const Handle space = simple_space(shape);
  Handle dataset(H5Dcreate2(handle_.id(), name.c_str(), file_type(type), space.id(), H5P_DEFAULT, list.id(),
                            H5P_DEFAULT),
                 H5Dclose, context);
  return {std::move(dataset), type, shape, {path_, name}};
}

Dataset File::open_dataset(const std::string& name, Type type, std::size_t dimensions) const {
  const Context context = this->context("open '" + name + "'");
  Handle dataset(H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT), H5Dclose, context);
  const Handle stored(H5Dget_type(dataset.id()), H5Tclose, context);
  Shape shape = shape_of(dataset.id(), context);
  if (H5Tequal(stored.id(), file_type(type)) <= 0 || shape.size() != dimensions)
    throw Error(
        fmt::format("{}: '{}' is not of the type and shape that it should have", path_.string(), name));
  return {std::move(dataset), type, std::move(shape), {path_, name}};
}

bool File::has(const std::string& name) const {
  return check(H5Lexists(handle_.id(), name.c_str(), H5P_DEFAULT), context("look for '" + name + "'")) > 0;
}

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
  const Handle dataset(H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT), H5Dclose, context);
  const Handle type(H5Dget_type(dataset.id()), H5Tclose, context);
  const Shape shape = shape_of(dataset.id(), context);
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0 ||
      shape.size() != (scalar ? 0U : 1U))
    throw Error(fmt::format("{}: '{}' is not the text that it should be", path_.string(), name));
  const std::size_t length = H5Tget_size(type.id());
  std::string padded(length * elements_of(shape), '\0');
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
  const Handle type(H5Aget_type(attribute.id()), H5Tclose, context);
  if (H5Tget_class(type.id()) != H5T_STRING || H5Tis_variable_str(type.id()) != 0)
    throw Error(fmt::format("{}: the attribute '{}' is not a text", path_.string(), name));
  std::string text(H5Tget_size(type.id()), '\0');
  check(H5Aread(attribute.id(), type.id(), text.data()), context);
  text.resize(text.find_last_not_of('\0') + 1);
  return text;
}

std::uint64_t File::read_number_attribute(const std::string& name) const {
  const Context context = this->context("read the attribute '" + name + "'");
  const Handle attribute(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Aclose, context);
  std::uint64_t value = 0;
  check(H5Aread(attribute.id(), H5T_NATIVE_UINT64, &value), context);
  return value;
}

void File::close() {
  check(H5Fflush(handle_.id(), H5F_SCOPE_GLOBAL), context("flush it"));
  handle_.close(context("close it"));
}

}  // namespace kernmill::storage::hdf5
