#include "kernmill/storage/hdf5/hdf5_parts.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/storage/file/checked_size.hpp"
#include "kernmill/storage/hdf5/hdf5_reach.hpp"

namespace kernmill::storage::hdf5 {
namespace {

herr_t keep_innermost(unsigned, const H5E_error2_t* entry, void* into) {
  if (entry->desc != nullptr && *entry->desc != '\0') {
    *static_cast<std::string*>(into) = entry->desc;
    return 1;  // the walk goes outwards: the first is the cause
  }
  return 0;
}

std::uint64_t number_behind(const std::string& reason, std::string_view marker) {
  const auto at = reason.find(marker);
  return at == std::string::npos ? 0 : std::strtoull(reason.c_str() + at + marker.size(), nullptr, 10);
}

// "file write failed: time = ..., errno = 28, error message = 'No space left on device', buf = 0x..." says
// more than a user wants to know, and so does "truncated file: eof = 3000, sblock->base_addr = 0, stored_eof
// = 23857".
std::string shortened(const std::string& reason) {
  if (reason.starts_with("truncated file"))
    return fmt::format("it is cut short: {} of its {} bytes are there", number_behind(reason, "file: eof = "),
                       number_behind(reason, "stored_eof = "));
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
  if (const auto elements = checked_bytes(shape, 1)) return *elements;
  throw Error(fmt::format("a shape of {} is larger than any file", fmt::join(shape, " x ")));
}

namespace {

/// A float of 16 bits, which no version before 2.0 has a name for. It stays for as long as the program runs.
hid_t short_float(std::size_t exponent_bits, std::size_t mantissa_bits) {
  const Context context{"HDF5", "make a type of 16 bits"};
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  check(type, context);
  check(H5Tset_fields(type, 15, mantissa_bits, exponent_bits, 0, mantissa_bits), context);
  check(H5Tset_size(type, 2), context);
  check(H5Tset_ebias(type, (std::size_t{1} << (exponent_bits - 1)) - 1), context);
  return type;
}

}  // namespace

hid_t memory_type(Type type) {
  switch (type) {
    case Type::f32:
      return H5T_NATIVE_FLOAT;
    case Type::u64:
      return H5T_NATIVE_UINT64;
    case Type::u32:
      return H5T_NATIVE_UINT32;
    case Type::u8:
      return H5T_NATIVE_UINT8;
    case Type::i32:
      return H5T_NATIVE_INT32;
    case Type::f64:
      return H5T_NATIVE_DOUBLE;
    default:
      return file_type(type);
  }
}

hid_t file_type(Type type) {
  static const hid_t half = short_float(5, 10), brain = short_float(8, 7);
  switch (type) {
    case Type::f32:
      return H5T_IEEE_F32LE;
    case Type::f16:
      return half;
    case Type::bf16:
      return brain;
    case Type::u64:
      return H5T_STD_U64LE;
    case Type::u32:
      return H5T_STD_U32LE;
    case Type::u8:
      return H5T_STD_U8LE;
    case Type::i32:
      return H5T_STD_I32LE;
    default:
      return H5T_IEEE_F64LE;
  }
}

std::uint64_t size_of(Type type) {
  switch (type) {
    case Type::u8:
      return 1;
    case Type::f16:
    case Type::bf16:
      return 2;
    case Type::f32:
    case Type::u32:
    case Type::i32:
      return 4;
    default:
      return 8;
  }
}

Type type_of(Element element) {
  switch (element) {
    case Element::f32:
      return Type::f32;
    case Element::f16:
      return Type::f16;
    case Element::bf16:
      return Type::bf16;
    case Element::u8:
      return Type::u8;
    case Element::i32:
      return Type::i32;
    case Element::f64:
      break;
  }
  return Type::f64;
}

std::string described(Type type) {
  const bool is_float = type == Type::f64 || type == Type::f32 || type == Type::f16 || type == Type::bf16;
  return fmt::format("{} {}", is_float ? "float" : "integer", size_of(type));
}

Handle property_list(hid_t kind) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are ours to tell; every file comes by here
  load_plugins(false);
  return {H5Pcreate(kind), H5Pclose, {{}, "make an HDF5 property list"}};
}

Handle access_list() {
  Handle list = property_list(H5P_FILE_ACCESS);
  check(H5Pset_libver_bounds(list.id(), H5F_LIBVER_V18, H5F_LIBVER_V110), {{}, "set the version bounds"});
  return list;
}

Handle untimed_list(hid_t kind) {
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
  Shape shape{dims.begin(), dims.end()};
  constexpr std::uint64_t largest_element = std::uint64_t{1} << 16;
  if (!checked_bytes(shape, largest_element))
    throw Error(fmt::format("{}: cannot {}: its extents, {}, are of more than any file can hold",
                            context.file.string(), context.what, fmt::join(shape, " x ")));
  return shape;
}

}  // namespace kernmill::storage::hdf5
