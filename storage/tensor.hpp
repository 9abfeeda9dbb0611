#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "kernmill/storage/element.hpp"

namespace kernmill::storage {

/// Numbers of one type, in memory.
struct TensorData {
  Element type = Element::f64;
  std::vector<std::byte> bytes;

  TensorData() = default;
  TensorData(std::initializer_list<double> values) : TensorData(Numbers(values)) {}
  template <Storable T>
  TensorData(const std::vector<T>& values) : TensorData(Numbers(values)) {}
  explicit TensorData(const Numbers& numbers)
      : type(numbers.type()), bytes(numbers.bytes().begin(), numbers.bytes().end()) {}
  /// Zeros.
  TensorData(Element of, std::uint64_t count) : type(of), bytes(count * size_of(of)) {}

  [[nodiscard]] std::uint64_t size() const { return bytes.size() / size_of(type); }
  [[nodiscard]] Numbers numbers() const { return {type, bytes}; }
  [[nodiscard]] WritableNumbers writable() { return {type, bytes}; }
  /// As numbers of another type: the same wherever it holds them, else the nearest.
  template <std::floating_point T>
  [[nodiscard]] std::vector<T> as() const;
  friend bool operator==(const TensorData&, const TensorData&) = default;
};

/// A named array, row-major.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  TensorData data;
};

}  // namespace kernmill::storage
