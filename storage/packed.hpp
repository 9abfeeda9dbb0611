#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernmill/storage/error.hpp"
#include "kernmill/storage/model.hpp"

/// Private to storage/: values as one string of bytes, to send to other ranks and to take a checksum of.
namespace kernmill::storage {

class Packer {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(const std::string& text) {
    put(std::uint64_t{text.size()});
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(std::uint64_t{values.size()});
    for (const T& value : values) put(value);
  }
  void put(const InputColumn& column);
  void put(const Step& step);
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void get(T& value) { std::memcpy(&value, next(sizeof value).data(), sizeof value); }
  void get(std::string& text) { text = next(length()); }
  template <class T>
  void get(std::vector<T>& values) {
    values.resize(length());
    for (T& value : values) get(value);
  }
  void get(InputColumn& column);
  void get(Step& step);

 private:
  std::uint64_t length() {
    std::uint64_t n = 0;
    get(n);
    return n;
  }
  std::string_view next(std::uint64_t n) {
    if (n > rest_.size()) throw Error("packed values end early");
    const auto part = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return part;
  }
  std::string_view rest_;
};

std::string packed(const Schema& schema);
/// As format version 1 packed it: what the header checksum of such a model was taken of.
std::string packed_version_1(const Schema& schema);
Schema unpacked_schema(std::string_view bytes);
std::string packed(const std::vector<Tensor>& tensors);
std::vector<Tensor> unpacked_tensors(std::string_view bytes);

}  // namespace kernmill::storage
