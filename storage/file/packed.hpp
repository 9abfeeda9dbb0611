#pragma once
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "kernmill/storage/error.hpp"

/// Private to storage/: values as one string of bytes, to send to other ranks and to take a checksum of. A
/// struct can be packed when there is a function `members_of` beside it that lists its members.
namespace kernmill::storage {

template <class... T>
std::tuple<T&...> members_of(const std::tuple<T&...>& references) {
  return references;
}

/// T, const or not: so one `members_of` serves both directions.
template <class T, class Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <class T>
concept HasMembers = requires(T& value) {
  members_of(value);
};

template <class T>
concept IsPlain = std::is_trivially_copyable_v<T> && !HasMembers<T>;

class Packer {
 public:
  template <class T>
  void put(const T& value) {
    if constexpr (HasMembers<const T>) {
      std::apply([&](const auto&... members) { (put(members), ...); }, members_of(value));
    } else {
      static_assert(IsPlain<T>);
      append(&value, sizeof value);
    }
  }
  void put(const std::string& text) {
    put(std::uint64_t{text.size()});
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(std::uint64_t{values.size()});
    if constexpr (IsPlain<T>)
      append(values.data(), values.size() * sizeof(T));
    else
      for (const T& value : values) put(value);
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  void append(const void* bytes, std::size_t n) { bytes_.append(static_cast<const char*>(bytes), n); }
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void get(T& value) {
    if constexpr (HasMembers<T>) {
      std::apply([&](auto&... members) { (get(members), ...); }, members_of(value));
    } else {
      static_assert(IsPlain<T>);
      take(&value, sizeof value);
    }
  }
  void get(std::string& text) { text = next(length()); }
  template <class T>
  void get(std::vector<T>& values) {
    const std::uint64_t count = length();
    if (count > rest_.size() / (IsPlain<T> ? sizeof(T) : 1)) throw Error("packed values end early");
    values.resize(count);
    if constexpr (IsPlain<T>)
      take(values.data(), values.size() * sizeof(T));
    else
      for (T& value : values) get(value);
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool has_value = false;
    get(has_value);
    if (has_value) get(value.emplace());
  }

 private:
  std::uint64_t length() {
    std::uint64_t n = 0;
    get(n);
    return n;
  }
  void take(void* out, std::size_t n) {
    const std::string_view bytes = next(n);
    if (n > 0) std::memcpy(out, bytes.data(), n);
  }
  std::string_view next(std::uint64_t n) {
    if (n > rest_.size()) throw Error("packed values end early");
    const auto part = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return part;
  }
  std::string_view rest_;
};

template <class T>
std::string packed(const T& value) {
  Packer packer;
  packer.put(value);
  return packer.take();
}

template <class T>
T unpacked(std::string_view bytes) {
  T value;
  Unpacker(bytes).get(value);
  return value;
}

}  // namespace kernmill::storage
