#pragma once
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace kernmill::tasks {

/// The types of numbers that binary files hold.
enum class Element { boolean, i8, u8, i16, u16, i32, u32, i64, u64, f16, f32, f64 };
std::size_t size_of(Element element);

/// Numbers as they lie in a file, as doubles. `bytes` holds values.size() elements.
void to_doubles(std::span<const char> bytes, Element element, bool big_endian, std::span<double> values);

/// An array in a file: what it is, and where its elements begin.
struct ArrayHeader {
  Element element = Element::f64;
  bool big_endian = false;
  bool column_major = false;         ///< of two dimensions; else the last one varies fastest
  std::vector<std::uint64_t> shape;  ///< one dimension or more
  std::uint64_t data_begin = 0;

  [[nodiscard]] std::uint64_t rows() const { return shape.at(0); }
  [[nodiscard]] std::uint64_t columns() const;  ///< of all dimensions but the first
};

/// The header of NumPy's format, version 1 to 3, which `bytes` begin with. Throws ArrayError.
ArrayHeader parse_npy_header(std::string_view bytes);
/// The header of an IDX file (MNIST and its kin). Throws ArrayError.
ArrayHeader parse_idx_header(std::string_view bytes);

/// Why bytes are no such header, or one that cannot be read.
class ArrayError : public std::runtime_error {
 public:
  explicit ArrayError(const std::string& message, std::string advice = {})
      : std::runtime_error(message), help(std::move(advice)) {}
  std::string help;
};

}  // namespace kernmill::tasks
