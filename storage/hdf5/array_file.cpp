#include "kernmill/storage/hdf5/array_file.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/file/checked_size.hpp"
#include "kernmill/storage/hdf5/hdf5_parts.hpp"
#include "kernmill/storage/hdf5/hdf5_reach.hpp"

namespace kernmill::storage {
namespace {

using hdf5::check;
using hdf5::Handle;

struct Table {
  Handle dataset;
  std::vector<std::uint64_t> shape;
  bool numbers = false, wide_integers = false;
  NumberKind kind{};
  std::vector<Named> enumeration{};
};

[[noreturn]] void refuse_size(const hdf5::Context& context, const std::string& what,
                              const std::vector<std::uint64_t>& extents) {
  throw Error(fmt::format("{}: cannot {}: {}, {}, are of more than the file can hold. Is it damaged?",
                          context.file.string(), context.what, what, fmt::join(extents, " x ")));
}

/// A chunk is in memory as a whole, whatever is wanted of it.
std::vector<std::uint64_t> chunk_of(hid_t list) {
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int dimensions = H5Pget_chunk(list, static_cast<int>(extents.size()), extents.data());
  return {extents.begin(), extents.begin() + std::max(dimensions, 0)};
}

/// A damaged file may claim extents that would take for ever to read. Nothing holds more than its bytes, or
/// 1032 times as much where a filter may have compressed them: that is the most that deflate can do.
void require_room(const Table& table, const hdf5::Context& context) {
  constexpr std::uint64_t most_compressed = 1032, largest_number = 16;
  const Handle list(H5Dget_create_plist(table.dataset.id()), H5Pclose, context);
  const H5D_layout_t layout = H5Pget_layout(list.id());
  const Handle type(H5Dget_type(table.dataset.id()), H5Tclose, context);
  const std::uint64_t size = H5Tget_size(type.id());
  if (table.numbers && size > largest_number)
    throw Error(
        fmt::format("{}: cannot {}: its numbers are of {} bytes", context.file.string(), context.what, size));
  if (layout == H5D_VIRTUAL || H5Pget_external_count(list.id()) > 0) return;  // it lies in other files
  std::uint64_t room = std::filesystem::file_size(context.file);
  if (layout == H5D_CHUNKED) room = checked_product(room, most_compressed).value_or(room);
  if (checked_bytes(table.shape, size).value_or(room + 1) > room)
    refuse_size(context, "its extents", table.shape);
  if (layout != H5D_CHUNKED) return;
  const auto chunk = chunk_of(list.id());
  if (checked_bytes(chunk, size).value_or(room + 1) > room) refuse_size(context, "its chunks", chunk);
}

/// The values of an enumeration and their names; HDF5 has converted the values to `long long`.
std::vector<Named> enumeration_of(hid_t type, const hdf5::Context& context) {
  constexpr int most = 1 << 20;
  const Handle base(H5Tget_super(type), H5Tclose, context);
  const int count = H5Tget_nmembers(type);
  const std::uint64_t size = H5Tget_size(base.id());
  if (count < 1 || count > most || size > sizeof(long long))
    throw Error(fmt::format("{}: cannot {}: its enumeration has {} values of {} bytes", context.file.string(),
                            context.what, count, size));
  std::vector<Named> all;
  for (int i = 0; i < count; ++i) {
    long long value = 0;
    const auto member = static_cast<unsigned>(i);
    check(H5Tget_member_value(type, member, &value), context);
    check(H5Tconvert(base.id(), H5T_NATIVE_LLONG, 1, &value, nullptr, H5P_DEFAULT), context);
    const std::unique_ptr<char, herr_t (*)(void*)> name(H5Tget_member_name(type, member), H5free_memory);
    if (!name) throw Error(fmt::format("{}: cannot {}", context.file.string(), context.what));
    all.push_back({static_cast<double>(value), name.get()});
  }
  return all;
}

Table open_table(const Handle& file, const std::string& name, const std::filesystem::path& path,
                 OtherFiles other_files) {
  const hdf5::Context context{path, "open '" + name + "'"};
  const bool allowed = other_files == OtherFiles::allowed;
  hdf5::require_reach(file.id(), name, allowed ? hdf5::Reach::other_files : hdf5::Reach::inside, context);
  Table table;
  table.dataset = Handle(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), H5Dclose, context);
  allowed ? hdf5::require_regular_files(table.dataset.id(), context)
          : hdf5::require_own_content(table.dataset.id(), hdf5::Reach::inside, context);
  const Handle type(H5Dget_type(table.dataset.id()), H5Tclose, context);
  const H5T_class_t kind = H5Tget_class(type.id());
  table.numbers = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
  table.wide_integers = kind == H5T_INTEGER && H5Tget_size(type.id()) > 4;
  table.kind = {kind == H5T_INTEGER, kind != H5T_INTEGER || H5Tget_sign(type.id()) != H5T_SGN_NONE,
                H5Tget_size(type.id())};
  if (kind == H5T_ENUM) table.enumeration = enumeration_of(type.id(), context);
  table.shape = hdf5::shape_of(table.dataset.id(), context);
  require_room(table, context);
  return table;
}

bool is_table(const Table& table) {
  return table.numbers && (table.shape.size() == 1 || table.shape.size() == 2);
}

bool is_gzip(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return in.get() == 0x1F && in.get() == 0x8B;
}

/// H5Literate's callback: the names of the links of a group.
herr_t note_name(hid_t /*group*/, const char* name, const H5L_info_t* /*info*/, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

struct ArrayFile::Impl {
  std::filesystem::path path;
  OtherFiles other_files;
  Handle file;
  mutable std::map<std::string, Table> tables;

  const Table& table(const std::string& name) const {
    auto found = tables.find(name);
    if (found == tables.end()) found = tables.emplace(name, open_table(file, name, path, other_files)).first;
    if (!is_table(found->second))
      throw Error(fmt::format("{}: '{}' is no table of numbers: it needs one or two dimensions",
                              path.string(), name));
    return found->second;
  }
};

ArrayFile::ArrayFile(const std::filesystem::path& file, OtherFiles other_files)
    : impl_(std::make_unique<Impl>()) {
  const Handle list = hdf5::property_list(H5P_FILE_ACCESS);
  impl_->path = file;
  impl_->other_files = other_files;
  if (!std::filesystem::is_regular_file(file) || H5Fis_hdf5(file.c_str()) <= 0)
    throw Error(fmt::format("{}: is not an HDF5 file{}", file.string(),
                            is_gzip(file) ? ", but one that gzip has compressed: expand it first" : ""));
  impl_->file = Handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, list.id()), H5Fclose, {file, "open it"});
}

ArrayFile::~ArrayFile() = default;

std::vector<std::string> ArrayFile::tables() const {
  std::vector<std::string> names, tables;
  hsize_t next = 0;
  check(H5Literate(impl_->file.id(), H5_INDEX_NAME, H5_ITER_INC, &next, note_name, &names),
        {impl_->path, "list it"});
  const bool allowed = impl_->other_files == OtherFiles::allowed;
  for (const auto& name : names) {
    const hdf5::Context context{impl_->path, "open '" + name + "'"};
    hdf5::require_reach(impl_->file.id(), name, allowed ? hdf5::Reach::other_files : hdf5::Reach::inside,
                        context);
    const Handle object(H5Oopen(impl_->file.id(), name.c_str(), H5P_DEFAULT), H5Oclose, context);
    if (H5Iget_type(object.id()) == H5I_DATASET &&
        is_table(open_table(impl_->file, name, impl_->path, impl_->other_files)))
      tables.push_back(name);
  }
  return tables;
}

std::vector<std::uint64_t> ArrayFile::shape(const std::string& dataset) const {
  return impl_->table(dataset).shape;
}

bool ArrayFile::has_wide_integers(const std::string& dataset) const {
  return impl_->table(dataset).wide_integers;
}

std::vector<Named> ArrayFile::enumeration(const std::string& dataset) const {
  return impl_->table(dataset).enumeration;
}

NumberKind ArrayFile::kind(const std::string& dataset) const {
  return impl_->table(dataset).kind;
}

void ArrayFile::read(const std::string& dataset, std::uint64_t first, std::uint64_t count,
                     std::span<double> out) const {
  const Table& table = impl_->table(dataset);
  const hdf5::Context context{impl_->path, "read '" + dataset + "'"};
  hdf5::load_plugins(impl_->other_files == OtherFiles::allowed);
  const std::uint64_t columns = table.shape.size() == 1 ? 1 : table.shape[1];
  if (first > table.shape[0] || count > table.shape[0] - first ||
      out.size() != checked_product(count, columns))
    throw Error(
        fmt::format("{}: '{}' has no rows {} to {}", impl_->path.string(), dataset, first, first + count));
  if (out.empty()) return;
  const std::array<hsize_t, 2> begin{first, 0}, extent{count, columns};
  const Handle space(H5Dget_space(table.dataset.id()), H5Sclose, context);
  check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, begin.data(), nullptr, extent.data(), nullptr),
        context);
  const hsize_t length = out.size();
  const Handle memory(H5Screate_simple(1, &length, nullptr), H5Sclose, context);
  check(H5Dread(table.dataset.id(), H5T_NATIVE_DOUBLE, memory.id(), space.id(), H5P_DEFAULT, out.data()),
        context);
}

}  // namespace kernmill::storage
