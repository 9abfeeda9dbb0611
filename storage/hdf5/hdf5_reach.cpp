#include "kernmill/storage/hdf5/hdf5_reach.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/file/checked_size.hpp"
#include "kernmill/storage/hdf5/hdf5_parts.hpp"

namespace kernmill::storage::hdf5 {
namespace {

namespace fs = std::filesystem;

constexpr int most_soft_links = 16;

const char* way_out(Reach reach) {
  if (reach == Reach::own)
    return "Kernmill writes nothing like it: somebody has changed the file, or made it; make it anew";
  return "Copy what is meant into one file (h5repack -f GZIP=4, h5copy); where the file can be trusted, "
         "`external_files: true` in the stage that reads it allows it";
}

[[noreturn]] void refuse(const Context& context, const std::string& why) {
  throw Error(fmt::format("{}: cannot {}: {}", context.file.string(), context.what, why));
}

/// What a link of no group holds: of a soft one its target.
std::string value_of_link(hid_t file, const std::string& name, std::size_t size, const Context& context) {
  std::string value(size, '\0');
  check(H5Lget_val(file, name.c_str(), value.data(), value.size(), H5P_DEFAULT), context);
  return value;
}

/// A pipe or a device would be waited for, whoever may be trusted.
void require_file(const std::string& name, const Context& context) {
  const fs::path path = fs::path(name).is_absolute() ? fs::path(name) : context.file.parent_path() / name;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status))
    refuse(context, fmt::format("it leads to {}, which is not a regular file", path.string()));
}

void require_link(hid_t file, const std::string& name, const H5L_info_t& info, Reach reach,
                  const Context& context) {
  if (info.type == H5L_TYPE_SOFT && reach == Reach::own)
    refuse(context, fmt::format("'{}' is a soft link, which Kernmill never writes", name));
  if (info.type != H5L_TYPE_EXTERNAL && info.type != H5L_TYPE_SOFT)
    refuse(context, fmt::format("'{}' is a link of a kind (number {}) that only a plug-in could follow", name,
                                static_cast<int>(info.type)));
  if (info.type != H5L_TYPE_EXTERNAL) return;
  const std::string value = value_of_link(file, name, info.u.val_size, context);
  const char* target = nullptr;
  check(H5Lunpack_elink_val(value.data(), value.size(), nullptr, &target, nullptr), context);
  if (reach != Reach::other_files)
    refuse(context, fmt::format("'{}' is a link to another file, {}. {}", name, target, way_out(reach)));
  require_file(target, context);
}

void follow(hid_t file, const std::string& name, Reach reach, const Context& context, int soft_links) {
  if (soft_links > most_soft_links) refuse(context, fmt::format("the soft links at '{}' have no end", name));
  std::string way;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.size(), name.find('/', at));
    const std::string part = name.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    const std::string above = way;
    way += fmt::format("/{}", part);
    if (check(H5Lexists(file, way.c_str(), H5P_DEFAULT), context) == 0) return;
    H5L_info_t info{};
    check(H5Lget_info(file, way.c_str(), &info, H5P_DEFAULT), context);
    if (info.type == H5L_TYPE_HARD) continue;
    require_link(file, way, info, reach, context);
    if (info.type == H5L_TYPE_EXTERNAL) return;
    std::string target = value_of_link(file, way, info.u.val_size, context);
    target.resize(std::min(target.size(), target.find('\0')));
    if (!target.starts_with('/')) target.insert(0, fmt::format("{}/", above));
    if (at < name.size()) target += fmt::format("/{}", name.substr(at));
    return follow(file, target, reach, context, soft_links + 1);
  }
}

/// The filters that are part of HDF5.
bool is_own_filter(H5Z_filter_t filter) {
  constexpr std::array own{H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32,
                           H5Z_FILTER_SZIP,    H5Z_FILTER_NBIT,    H5Z_FILTER_SCALEOFFSET};
  return std::find(own.begin(), own.end(), filter) != own.end();
}

void require_own_filters(hid_t list, Reach reach, const Context& context) {
  const auto filters = static_cast<unsigned>(check(H5Pget_nfilters(list), context));
  for (unsigned i = 0; i < filters; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        H5Pget_filter2(list, i, &flags, &values, nullptr, name.size() - 1, name.data(), nullptr);
    if (filter >= 0 && is_own_filter(filter)) continue;
    refuse(context,
           fmt::format("it is compressed by the filter {} {}, whose code a plug-in would have to bring. {}",
                       static_cast<int>(filter), name.data(), way_out(reach)));
  }
}

}  // namespace

void require_reach(hid_t file, const std::string& name, Reach reach, const Context& context) {
  follow(file, name, reach, context, 0);
}

void require_own_content(hid_t dataset, Reach reach, const Context& context) {
  const Handle list(H5Dget_create_plist(dataset), H5Pclose, context);
  if (H5Pget_layout(list.id()) == H5D_VIRTUAL)
    refuse(context, fmt::format("it is a virtual dataset, which lies in other files. {}", way_out(reach)));
  if (H5Pget_external_count(list.id()) > 0) {
    std::array<char, 256> name{};
    check(H5Pget_external(list.id(), 0, name.size() - 1, name.data(), nullptr, nullptr), context);
    refuse(context, fmt::format("its content lies in another file, {}. {}", name.data(), way_out(reach)));
  }
  require_own_filters(list.id(), reach, context);
}

void require_regular_files(hid_t dataset, const Context& context) {
  const Handle list(H5Dget_create_plist(dataset), H5Pclose, context);
  std::array<char, 4096> name{};
  const auto external = static_cast<unsigned>(std::max(0, H5Pget_external_count(list.id())));
  for (unsigned i = 0; i < external; ++i) {
    check(H5Pget_external(list.id(), i, name.size() - 1, name.data(), nullptr, nullptr), context);
    std::error_code error;  // HDF5 takes these from where the program is
    require_file(fs::absolute(name.data(), error).string(), context);
  }
  if (H5Pget_layout(list.id()) != H5D_VIRTUAL) return;
  std::size_t sources = 0;
  check(H5Pget_virtual_count(list.id(), &sources), context);
  for (std::size_t i = 0; i < sources; ++i) {
    check(H5Pget_virtual_filename(list.id(), i, name.data(), name.size() - 1), context);
    require_file(name.data(), context);
  }
}

std::uint64_t require_stored(hid_t dataset, const Context& context) {
  require_own_content(dataset, Reach::own, context);
  const Handle list(H5Dget_create_plist(dataset), H5Pclose, context);
  const Handle type(H5Dget_type(dataset), H5Tclose, context);
  const Shape shape = shape_of(dataset, context);
  const auto bytes = checked_bytes(shape, H5Tget_size(type.id()));
  const H5D_layout_t layout = H5Pget_layout(list.id());
  if (layout != H5D_CONTIGUOUS && layout != H5D_COMPACT)
    refuse(context, "it is not contiguous, as what Kernmill writes is");
  hsize_t room = 0;
  check(H5Fget_filesize(Handle(H5Iget_file_id(dataset), H5Fclose, context).id(), &room), context);
  const auto refuse_size = [&] {
    refuse(context,
           fmt::format("it claims {} of {} bytes, which the file of {} bytes does not hold. Is it damaged?",
                       shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, " x ")),
                       H5Tget_size(type.id()), room));
  };
  if (!bytes || *bytes > room) refuse_size();
  if (*bytes == 0 || layout == H5D_COMPACT) return *bytes;
  const haddr_t offset = H5Dget_offset(dataset);
  if (offset == HADDR_UNDEF || offset > room || *bytes > room - offset) refuse_size();
  return *bytes;
}

void load_plugins(bool allowed) {
  unsigned kinds = 0;  // those that a site's variables name, of drivers and connectors, stay as they are
  if (H5PLget_loading_state(&kinds) < 0) return;
  H5PLset_loading_state(allowed ? kinds | H5PL_FILTER_PLUGIN : kinds & ~unsigned{H5PL_FILTER_PLUGIN});
}

void require_one_value(hid_t attribute, H5T_class_t kind, const Context& context) {
  constexpr std::size_t longest = std::size_t{64} << 10;
  const Handle space(H5Aget_space(attribute), H5Sclose, context);
  const Handle type(H5Aget_type(attribute), H5Tclose, context);
  if (H5Sget_simple_extent_npoints(space.id()) != 1 || H5Tget_class(type.id()) != kind ||
      (kind == H5T_STRING && H5Tis_variable_str(type.id()) != 0) || H5Tget_size(type.id()) > longest)
    refuse(context, kind == H5T_STRING ? "it is not a text" : "it is not a number");
}

}  // namespace kernmill::storage::hdf5
