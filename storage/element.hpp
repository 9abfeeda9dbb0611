#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace kernmill::storage {

/// What a stored number is. float16 and bfloat16 are for storage alone: nobody computes with them.
enum class Element : std::uint8_t { f64, f32, f16, bf16, u8, i32 };

std::uint64_t size_of(Element type);
/// "float64", "float32", "float16", "bfloat16", "uint8", "int32".
std::string_view to_string(Element type);
std::optional<Element> element_of(std::string_view name);

template <class T>
concept Storable = std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, std::uint8_t> ||
    std::same_as<T, std::int32_t>;

template <Storable T>
inline constexpr Element element_type = std::same_as<T, double>         ? Element::f64
                                        : std::same_as<T, float>        ? Element::f32
                                        : std::same_as<T, std::uint8_t> ? Element::u8
                                                                        : Element::i32;

template <class Range>
concept StorableRange =
    std::ranges::contiguous_range<Range> && Storable<std::remove_cv_t<std::ranges::range_value_t<Range>>>;

/// A view of numbers of any type.
class Numbers {
 public:
  Numbers() = default;
  template <StorableRange Range>
  Numbers(const Range& values)
      : type_(element_type<std::ranges::range_value_t<Range>>),
        bytes_(std::as_bytes(std::span(std::ranges::data(values), std::ranges::size(values)))) {}
  Numbers(Element type, std::span<const std::byte> bytes) : type_(type), bytes_(bytes) {}

  [[nodiscard]] Element type() const { return type_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size() / size_of(type_); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  Element type_ = Element::f64;
  std::span<const std::byte> bytes_;
};

/// A view of numbers that are to be written into.
class WritableNumbers {
 public:
  WritableNumbers() = default;
  template <Storable T>
  WritableNumbers(std::span<T> values) : type_(element_type<T>), bytes_(std::as_writable_bytes(values)) {}
  template <Storable T>
  WritableNumbers(std::vector<T>& values) : WritableNumbers(std::span<T>(values)) {}
  WritableNumbers(Element type, std::span<std::byte> bytes) : type_(type), bytes_(bytes) {}

  [[nodiscard]] Element type() const { return type_; }
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size() / size_of(type_); }

 private:
  Element type_ = Element::f64;
  std::span<std::byte> bytes_;
};

}  // namespace kernmill::storage
