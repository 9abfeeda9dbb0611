#include <algorithm>
#include <atomic>

#include <fmt/format.h>

#include "kernmill/storage/hdf5/hdf5_parts.hpp"
#include "kernmill/storage/hdf5/hdf5_reach.hpp"

// Files in memory, and values as bytes whatever they mean.

namespace kernmill::storage::hdf5 {
namespace {

Handle memory_access_list(const Context& context) {
  constexpr std::size_t growth = std::size_t{64} << 10;
  Handle list = property_list(H5P_FILE_ACCESS);
  // H5Fget_file_image clears flags behind the checksum's back; only the first kind of superblock has none.
  check(H5Pset_libver_bounds(list.id(), H5F_LIBVER_EARLIEST, H5F_LIBVER_V18), context);
  check(H5Pset_fapl_core(list.id(), growth, 0), context);
  return list;
}

// HDF5 takes two files in memory of one name for the same, and looks for the name on disk.
std::string name_in_memory() {
  static std::atomic<unsigned> number{0};
  return fmt::format("/no such directory/{}", number++);
}

std::string described(hid_t type, const Context& context) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      if (H5Tis_variable_str(type) != 0) break;  // its bytes are pointers
      return fmt::format("text {}", size);
    case H5T_INTEGER:
      return fmt::format("integer {}", size);
    case H5T_FLOAT:
      return fmt::format("float {}", size);
    default:
      break;
  }
  throw Error(fmt::format("{}: cannot {}: it is of a type that Kernmill never writes", context.file.string(),
                          context.what));
}

}  // namespace

File File::create_in_memory(const std::filesystem::path& named) {
  const Context context{named, "make it in memory"};
  const Handle list = memory_access_list(context);
  return {Handle(H5Fcreate(name_in_memory().c_str(), H5F_ACC_TRUNC, untimed_list(H5P_FILE_CREATE).id(),
                           list.id()),
                 H5Fclose, context),
          named};
}

File File::open_image(const std::string& image, const std::filesystem::path& named) {
  const Context context{named, "open what was encrypted in it"};
  const Handle list = memory_access_list(context);
  check(H5Pset_file_image(list.id(), const_cast<char*>(image.data()), image.size()), context);  // copies it
  return {Handle(H5Fopen(name_in_memory().c_str(), H5F_ACC_RDONLY, list.id()), H5Fclose, context), named};
}

std::string File::image() const {
  const Context context = this->context("take its bytes");
  check(H5Fflush(handle_.id(), H5F_SCOPE_GLOBAL), context);
  const auto size = static_cast<std::size_t>(check(H5Fget_file_image(handle_.id(), nullptr, 0), context));
  std::string bytes(size, '\0');
  check(H5Fget_file_image(handle_.id(), bytes.data(), size), context);
  return bytes;
}

std::vector<std::string> File::names_in(const std::string& group) const {
  const Context context = this->context("list '" + group + "'");
  require_reach(handle_.id(), group, Reach::own, context);
  const Handle opened(H5Gopen2(handle_.id(), group.c_str(), H5P_DEFAULT), H5Gclose, context);
  H5G_info_t info{};
  check(H5Gget_info(opened.id(), &info), context);
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const auto name = [&](char* into, std::size_t size) {
      return static_cast<std::size_t>(
          check(H5Lget_name_by_idx(opened.id(), ".", H5_INDEX_NAME, H5_ITER_INC, i, into, size, H5P_DEFAULT),
                context));
    };
    std::string text(name(nullptr, 0), '\0');
    name(text.data(), text.size() + 1);
    names.push_back(std::move(text));
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool File::is_group(const std::string& name) const {
  const Context context = this->context("open '" + name + "'");
  require_reach(handle_.id(), name, Reach::own, context);
  const Handle object(H5Oopen(handle_.id(), name.c_str(), H5P_DEFAULT), H5Oclose, context);
  return H5Iget_type(object.id()) == H5I_GROUP;
}

RawValue File::read_raw(const std::string& name) const {
  const Context context = this->context("read '" + name + "'");
  const Handle dataset = opened(name, context);
  const Handle type(H5Dget_type(dataset.id()), H5Tclose, context);
  RawValue value{described(type.id(), context), shape_of(dataset.id(), context), {}};
  value.bytes.resize(require_stored(dataset.id(), context));
  if (!value.bytes.empty())
    check(H5Dread(dataset.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, value.bytes.data()), context);
  return value;
}

}  // namespace kernmill::storage::hdf5
