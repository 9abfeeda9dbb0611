#include "kernmill/storage/conversion.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

// Compiled with more optimisation than its neighbours (CMakeLists.txt): these loops are to be vectorised.

namespace kernmill::storage {
namespace {

/// The sixteen bits of a float16, and those of a bfloat16.
struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};

template <class T>
inline T loaded(const std::byte* from, std::size_t i) {
  T value;
  std::memcpy(&value, from + i * sizeof(T), sizeof(T));
  return value;
}

template <class T>
inline void store(std::byte* to, std::size_t i, const T& value) {
  std::memcpy(to + i * sizeof(T), &value, sizeof(T));
}

template <class T>
inline T widened(T value) {
  return value;
}

// Without a branch: the exponent is put right by a product, which makes subnormal numbers normal as well.
inline float widened(Half half) {
  constexpr std::uint32_t infinite = 0x0f800000U;
  const std::uint32_t sign = (half.bits & 0x8000U) << 16U, rest = (half.bits & 0x7fffU) << 13U;
  const auto bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest) * 0x1p112F);
  return std::bit_cast<float>(bits | sign | (rest >= infinite ? 0x7f800000U : 0U));
}

inline float widened(Brain brain) {
  return std::bit_cast<float>(std::uint32_t{brain.bits} << 16U);
}

template <class From, class To>
void widen_all(const std::byte* __restrict from, To* __restrict to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<To>(widened(loaded<From>(from, i)));
}

template <class From, class To>
void widen_scaled(const std::byte* __restrict from, const double* __restrict center,
                  const double* __restrict scale, To* __restrict to, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    to[i] = static_cast<To>((static_cast<double>(widened(loaded<From>(from, i))) - center[i]) / scale[i]);
}

/// Calls visit with a value of the type that is stored.
template <class Visit>
auto with_stored(Element type, const Visit& visit) {
  switch (type) {
    case Element::f32:
      return visit(float{});
    case Element::f16:
      return visit(Half{});
    case Element::bf16:
      return visit(Brain{});
    case Element::u8:
      return visit(std::uint8_t{});
    case Element::i32:
      return visit(std::int32_t{});
    case Element::f64:
      break;
  }
  return visit(double{});
}

template <class To>
void widen_any(Element type, const std::byte* from, std::span<To> to) {
  if (type == element_type<To>) {
    if (!to.empty()) std::memcpy(to.data(), from, to.size_bytes());
    return;
  }
  with_stored(type, [&](auto stored) { widen_all<decltype(stored)>(from, to.data(), to.size()); });
}

template <class To>
void widen_any(Element type, const std::byte* from, const Scaling& by, std::span<To> to) {
  with_stored(type, [&](auto stored) {
    widen_scaled<decltype(stored)>(from, by.center, by.scale, to.data(), to.size());
  });
}

/// A number as sign, exponent and mantissa of 16 bits in all. The carry of a mantissa that is rounded up goes
/// into the exponent, as it should, up to infinity.
template <int mantissa_bits>
std::uint16_t rounded_to_16(double value) {
  constexpr int exponent_bits = 15 - mantissa_bits, bias = (1 << (exponent_bits - 1)) - 1;
  constexpr std::uint64_t infinite = std::uint64_t{(1U << exponent_bits) - 1} << mantissa_bits;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 48U & 0x8000U);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | infinite | 1U << (mantissa_bits - 1));
  const int exponent = static_cast<int>(bits >> 52U & 0x7ffU) - 1023;
  if (exponent > bias) return static_cast<std::uint16_t>(sign | infinite);
  const int below = std::max(0, 1 - bias - exponent);  // how far a subnormal number is shifted
  const int shift = 52 - mantissa_bits + below;
  if (shift > 53) return sign;
  const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << 52U) - 1)) | std::uint64_t{1} << 52U;
  const std::uint64_t kept = mantissa >> shift, half = std::uint64_t{1} << (shift - 1);
  const std::uint64_t dropped = mantissa & (2 * half - 1);
  const bool up = dropped > half || (dropped == half && (kept & 1U) != 0);
  const std::uint64_t scale =
      below > 0 ? 0 : static_cast<std::uint64_t>(exponent + bias - 1) << mantissa_bits;
  return static_cast<std::uint16_t>(sign | (scale + kept + (up ? 1 : 0)));
}

inline bool narrowed(double value, double& to) {
  to = value;
  return true;
}

inline bool narrowed(double value, float& to) {
  to = static_cast<float>(value);
  return std::isfinite(to) || !std::isfinite(value);
}

inline bool narrowed(double value, Half& to) {
  to.bits = rounded_to_16<10>(value);
  return (to.bits & 0x7fffU) != 0x7c00U || !std::isfinite(value);
}

inline bool narrowed(double value, Brain& to) {
  to.bits = rounded_to_16<7>(value);
  return (to.bits & 0x7fffU) != 0x7f80U || !std::isfinite(value);
}

template <std::integral To>
bool narrowed(double value, To& to) {
  constexpr auto lowest = static_cast<double>(std::numeric_limits<To>::min()),
                 highest = static_cast<double>(std::numeric_limits<To>::max());
  if (!(value >= lowest && value <= highest)) return false;
  to = static_cast<To>(value);
  return static_cast<double>(to) == value;
}

template <class To>
bool narrowed(double value, double center, double scale, To& to) {
  const double stored = value * scale + center;
  if constexpr (std::integral<To>)
    return narrowed(std::nearbyint(stored), to) && (static_cast<double>(to) - center) / scale == value;
  else
    return narrowed(stored, to) && (std::isfinite(stored) || !std::isfinite(value));
}

template <class Narrow>
std::optional<std::size_t> narrow_all(Element type, std::size_t n, std::byte* to, const Narrow& one) {
  return with_stored(type, [&](auto stored) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < n; ++i) {
      if (!one(i, stored)) return i;
      store(to, i, stored);
    }
    return std::nullopt;
  });
}

}  // namespace

void widen(Element type, const std::byte* from, std::span<double> to) {
  widen_any(type, from, to);
}

void widen(Element type, const std::byte* from, std::span<float> to) {
  widen_any(type, from, to);
}

void widen(Element type, const std::byte* from, const Scaling& by, std::span<double> to) {
  widen_any(type, from, by, to);
}

void widen(Element type, const std::byte* from, const Scaling& by, std::span<float> to) {
  widen_any(type, from, by, to);
}

std::optional<std::size_t> narrow(std::span<const double> from, Element type, std::byte* to) {
  return narrow_all(type, from.size(), to,
                    [&](std::size_t i, auto& stored) { return narrowed(from[i], stored); });
}

std::optional<std::size_t> narrow(std::span<const double> from, const Scaling& by, Element type,
                                  std::byte* to) {
  return narrow_all(type, from.size(), to, [&](std::size_t i, auto& stored) {
    return narrowed(from[i], by.center[i], by.scale[i], stored);
  });
}

bool convert(const Numbers& from, const WritableNumbers& to) {
  if (from.type() == to.type()) {
    if (!from.empty()) std::memcpy(to.bytes().data(), from.bytes().data(), from.bytes().size());
    return true;
  }
  const auto into = [&]<class To>(To* at) {
    widen_any(from.type(), from.bytes().data(), std::span(at, to.size()));
  };
  if (to.type() == Element::f64) {
    into(reinterpret_cast<double*>(to.bytes().data()));
    return true;
  }
  if (to.type() != Element::f32) return false;
  into(reinterpret_cast<float*>(to.bytes().data()));
  return true;
}

}  // namespace kernmill::storage
