#include "kernmill/tasks/data/read/array_header.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "kernmill/storage/conversion.hpp"

namespace kernmill::tasks {
namespace {

template <class T>
void convert(std::span<const char> bytes, bool swapped, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), bytes.data() + i * sizeof(T), sizeof(T));
    if (swapped) std::reverse(raw.begin(), raw.end());
    values[i] = static_cast<double>(std::bit_cast<T>(raw));
  }
}

void convert_halves(std::span<const char> bytes, bool swapped, std::span<double> values) {
  std::vector<char> ordered(bytes.data(), bytes.data() + 2 * values.size());
  if (swapped)
    for (std::size_t i = 0; i < ordered.size(); i += 2) std::swap(ordered[i], ordered[i + 1]);
  storage::widen(storage::Element::f16, std::as_bytes(std::span(ordered)).data(), values);
}

/// Checks that rows and columns can be counted, whatever the header claims.
void require_countable(const ArrayHeader& header) {
  constexpr std::uint64_t most = std::uint64_t{1} << 48U;
  std::uint64_t elements = 1;
  for (const std::uint64_t extent : header.shape) {
    if (extent > most || (extent > 0 && elements > most / extent))
      throw ArrayError("its shape is larger than any file");
    elements *= std::max<std::uint64_t>(extent, 1);
  }
  if (header.columns() > std::uint64_t{1} << 24U) throw ArrayError("a row of it has more than 2^24 numbers");
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i)
    value = value << 8U | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

/// What stands behind 'KEY': in the header's Python dictionary.
std::string_view value_of(std::string_view dictionary, std::string_view key) {
  const std::string quoted = fmt::format("'{}'", key);
  const auto found = dictionary.find(quoted);
  if (found == std::string_view::npos) throw ArrayError(fmt::format("its header lacks {}", quoted));
  auto rest = dictionary.substr(found + quoted.size());
  const auto begin = rest.find_first_not_of(": ");
  if (begin == std::string_view::npos) throw ArrayError(fmt::format("its header has no value of {}", quoted));
  return rest.substr(begin);
}

struct Description {
  std::string_view code;
  Element element;
};
constexpr std::array descriptions{
    Description{"b1", Element::boolean}, Description{"i1", Element::i8},  Description{"u1", Element::u8},
    Description{"i2", Element::i16},     Description{"u2", Element::u16}, Description{"i4", Element::i32},
    Description{"u4", Element::u32},     Description{"i8", Element::i64}, Description{"u8", Element::u64},
    Description{"f2", Element::f16},     Description{"f4", Element::f32}, Description{"f8", Element::f64}};

/// '<f8' and its kin.
void read_description(std::string_view text, ArrayHeader& header) {
  if (text.size() < 5 || text[0] != '\'' || text[4] != '\'')
    throw ArrayError("its elements are no plain numbers", "save numbers: array.astype(float)");
  const char order = text[1];
  header.big_endian = order == '>';
  for (const auto& [code, element] : descriptions)
    if (text.substr(2, 2) == code && (order == '<' || order == '>' || order == '|' || order == '=')) {
      header.element = element;
      return;
    }
  throw ArrayError(fmt::format("its elements are of type '{}'", text.substr(1, 3)),
                   "save whole numbers or floats of 2, 4 or 8 bytes: array.astype(float)");
}

void read_shape(std::string_view text, ArrayHeader& header) {
  if (text.empty() || text[0] != '(') throw ArrayError("its header has no shape");
  text.remove_prefix(1);
  while (true) {
    const auto begin = text.find_first_not_of(", ");
    if (begin == std::string_view::npos) throw ArrayError("the shape in its header has no end");
    text.remove_prefix(begin);
    if (text[0] == ')') break;
    std::uint64_t extent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (error != std::errc{}) throw ArrayError("the shape in its header is no list of numbers");
    header.shape.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with('L')) text.remove_prefix(1);  // a long integer of Python 2
  }
  if (header.shape.empty()) throw ArrayError("it is one number, not an array");
}

}  // namespace

std::size_t size_of(Element element) {
  switch (element) {
    case Element::boolean:
    case Element::i8:
    case Element::u8:
      return 1;
    case Element::i16:
    case Element::u16:
    case Element::f16:
      return 2;
    case Element::i32:
    case Element::u32:
    case Element::f32:
      return 4;
    default:
      return 8;
  }
}

void to_doubles(std::span<const char> bytes, Element element, bool big_endian, std::span<double> values) {
  const bool swapped = big_endian != (std::endian::native == std::endian::big);
  switch (element) {
    case Element::boolean:
    case Element::u8:
      return convert<std::uint8_t>(bytes, false, values);
    case Element::i8:
      return convert<std::int8_t>(bytes, false, values);
    case Element::i16:
      return convert<std::int16_t>(bytes, swapped, values);
    case Element::u16:
      return convert<std::uint16_t>(bytes, swapped, values);
    case Element::i32:
      return convert<std::int32_t>(bytes, swapped, values);
    case Element::u32:
      return convert<std::uint32_t>(bytes, swapped, values);
    case Element::i64:
      return convert<std::int64_t>(bytes, swapped, values);
    case Element::u64:
      return convert<std::uint64_t>(bytes, swapped, values);
    case Element::f16:
      return convert_halves(bytes, swapped, values);
    case Element::f32:
      return convert<float>(bytes, swapped, values);
    default:
      return convert<double>(bytes, swapped, values);
  }
}

std::uint64_t ArrayHeader::columns() const {
  return std::accumulate(shape.begin() + 1, shape.end(), std::uint64_t{1}, std::multiplies<>());
}

// numpy/lib/format.py: magic, version, length of the header, a Python dictionary as text.
ArrayHeader parse_npy_header(std::string_view bytes) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (!bytes.starts_with(magic) || bytes.size() < 12) throw ArrayError("it is no .npy file");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    throw ArrayError(fmt::format("it has version {} of the .npy format", version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::uint64_t length = little_endian(bytes.substr(8, length_bytes));
  const std::size_t begin = 8 + length_bytes;
  if (length > bytes.size() - begin) throw ArrayError("its header is cut off");
  const std::string_view dictionary = bytes.substr(begin, length);
  ArrayHeader header;
  header.data_begin = begin + length;
  read_description(value_of(dictionary, "descr"), header);
  read_shape(value_of(dictionary, "shape"), header);
  if (!value_of(dictionary, "fortran_order").starts_with("False")) {
    if (header.shape.size() > 2)
      throw ArrayError("its last dimension varies slowest (Fortran order)",
                       "save numpy.ascontiguousarray(array)");
    header.column_major = header.shape.size() == 2;
  }
  require_countable(header);
  return header;
}

// http://yann.lecun.com/exdb/mnist: two zeros, the type, the number of dimensions, big-endian extents.
ArrayHeader parse_idx_header(std::string_view bytes) {
  if (bytes.size() < 8 || bytes[0] != 0 || bytes[1] != 0) throw ArrayError("it is no IDX file");
  ArrayHeader header;
  header.big_endian = true;
  switch (static_cast<unsigned char>(bytes[2])) {
    case 0x08:
      header.element = Element::u8;
      break;
    case 0x09:
      header.element = Element::i8;
      break;
    case 0x0B:
      header.element = Element::i16;
      break;
    case 0x0C:
      header.element = Element::i32;
      break;
    case 0x0D:
      header.element = Element::f32;
      break;
    case 0x0E:
      header.element = Element::f64;
      break;
    default:
      throw ArrayError("its elements are of no type of the IDX format");
  }
  const auto dimensions = static_cast<unsigned char>(bytes[3]);
  header.data_begin = 4 + 4 * std::uint64_t{dimensions};
  if (dimensions == 0 || header.data_begin > bytes.size()) throw ArrayError("its header is cut off");
  for (std::size_t i = 0; i < dimensions; ++i) header.shape.push_back(big_endian(bytes.substr(4 + 4 * i, 4)));
  require_countable(header);
  return header;
}

}  // namespace kernmill::tasks
