#include "kernmill/storage/conversion.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

namespace kernmill::storage {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A format of 16 bits, and what its bits mean by the book.
struct Short {
  Element type;
  int mantissa_bits;
  [[nodiscard]] int exponent_bits() const { return 15 - mantissa_bits; }
  [[nodiscard]] double value(std::uint16_t bits) const {
    const int fraction = bits & ((1 << mantissa_bits) - 1), exponent = (bits & 0x7fff) >> mantissa_bits;
    const int bias = (1 << (exponent_bits() - 1)) - 1;
    const double sign = (bits & 0x8000) != 0 ? -1 : 1;
    if (exponent == (1 << exponent_bits()) - 1)
      return fraction == 0 ? sign * infinity : std::numeric_limits<double>::quiet_NaN();
    const double whole = exponent == 0 ? 0 : 1;
    return sign * std::ldexp(whole + std::ldexp(fraction, -mantissa_bits), std::max(exponent, 1) - bias);
  }
};

const std::array shorts{Short{Element::f16, 10}, Short{Element::bf16, 7}};

std::uint16_t narrowed(const Short& format, double value) {
  std::uint16_t bits = 0;
  narrow(std::span(&value, 1), format.type, reinterpret_cast<std::byte*>(&bits));
  return bits;
}

bool holds(Element type, double value) {
  std::array<std::byte, 8> bytes{};
  return !narrow(std::span(&value, 1), type, bytes.data());
}

TEST(Conversion, EveryShortFloatIsReadAsWhatItIs) {
  for (const Short& format : shorts)
    for (std::uint32_t i = 0; i < 65536; ++i) {
      const auto bits = static_cast<std::uint16_t>(i);
      const auto* at = reinterpret_cast<const std::byte*>(&bits);
      double wide = 0;
      float narrower = 0;
      widen(format.type, at, std::span(&wide, 1));
      widen(format.type, at, std::span(&narrower, 1));
      const double expected = format.value(bits);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(wide) && std::isnan(narrower)) << i;
        continue;
      }
      ASSERT_EQ(std::bit_cast<std::uint64_t>(wide), std::bit_cast<std::uint64_t>(expected)) << i;
      ASSERT_EQ(narrower, static_cast<float>(expected)) << i;
      ASSERT_TRUE(std::isinf(expected) || narrowed(format, expected) == bits) << i;
    }
}

// Between each number and the next: below the middle the lower, above it the upper, in it the even one.
TEST(Conversion, RoundsToTheNearestAndTiesToEven) {
  for (const Short& format : shorts)
    for (std::uint32_t i = 0; std::isfinite(format.value(static_cast<std::uint16_t>(i + 1))); ++i) {
      const auto lower = static_cast<std::uint16_t>(i), upper = static_cast<std::uint16_t>(i + 1);
      const double middle = (format.value(lower) + format.value(upper)) / 2;
      ASSERT_EQ(narrowed(format, middle), lower % 2 == 0 ? lower : upper) << i;
      ASSERT_EQ(narrowed(format, std::nextafter(middle, 0)), lower) << i;
      ASSERT_EQ(narrowed(format, std::nextafter(middle, infinity)), upper) << i;
      ASSERT_EQ(narrowed(format, -middle), (lower % 2 == 0 ? lower : upper) | 0x8000) << i;
    }
}

TEST(Conversion, WhatATypeDoesNotHoldIsSaid) {
  EXPECT_TRUE(holds(Element::u8, 255) && holds(Element::u8, -0.0) && holds(Element::i32, -2147483648.0));
  EXPECT_FALSE(holds(Element::u8, 256) || holds(Element::u8, -1) || holds(Element::u8, 0.5));
  EXPECT_FALSE(holds(Element::i32, 2147483648.0) || holds(Element::i32, infinity));
  EXPECT_TRUE(holds(Element::f32, 3.4028235e38) && holds(Element::f32, infinity) &&
              holds(Element::bf16, -infinity));
  EXPECT_FALSE(holds(Element::f32, 3.5e38) || holds(Element::bf16, 3.4e38) || holds(Element::f16, 65520));
  EXPECT_TRUE(holds(Element::f16, std::numeric_limits<double>::quiet_NaN()));
}

TEST(Conversion, TellsTheFirstThatDoesNotFit) {
  const std::array<double, 5> numbers{1, 2, 300, 4, 500};
  std::array<std::byte, 5> bytes{};
  EXPECT_EQ(narrow(numbers, Element::u8, bytes.data()), 2U);
  const std::array<double, 5> center{0, 0, 50, 0, 250}, scale{1, 1, 0.5, 1, 0.01};
  EXPECT_EQ(narrow(numbers, Scaling{center.data(), scale.data()}, Element::u8, bytes.data()), std::nullopt);
  EXPECT_EQ(bytes[2], std::byte{200});
  std::array<double, 5> back{};
  widen(Element::u8, bytes.data(), Scaling{center.data(), scale.data()}, back);
  EXPECT_EQ(back, numbers);
}

// Numbers of a row that begins anywhere.
TEST(Conversion, NeedsNoAlignment) {
  std::array<std::byte, 33> bytes{};
  const std::array<float, 8> floats{1, -2, 3.5F, 4, 5, 6, 7, 1e-40F};
  std::memcpy(bytes.data() + 1, floats.data(), sizeof floats);
  std::array<double, 8> wide{};
  widen(Element::f32, bytes.data() + 1, wide);
  for (std::size_t i = 0; i < wide.size(); ++i) EXPECT_EQ(wide[i], static_cast<double>(floats[i]));
}

TEST(Conversion, OfWholeArraysIsToFloatsOrToTheSame) {
  const std::array<std::int32_t, 3> numbers{1, -2, 2147483647};
  std::vector<double> doubles(3);
  std::vector<float> floats(3);
  std::vector<std::int32_t> same(3);
  std::vector<std::uint8_t> bytes(3);
  EXPECT_TRUE(convert(numbers, doubles) && convert(numbers, floats) && convert(numbers, same));
  EXPECT_EQ(doubles[2], 2147483647.0);
  EXPECT_EQ(floats[2], 2147483648.0F);
  EXPECT_TRUE(std::equal(same.begin(), same.end(), numbers.begin(), numbers.end()));
  EXPECT_FALSE(convert(numbers, bytes));
}

}  // namespace
}  // namespace kernmill::storage
