#include "kernmill/base/sha256.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

// FIPS 180-2, appendix B.
constexpr const char* of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, IsThatOfTheStandard) {
  EXPECT_EQ(sha256("abc"), of_abc);
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, OfPartsIsThatOfTheWhole) {
  Sha256 hash;
  for (const std::string_view part : {"a", "", "bc"}) hash.add(std::as_bytes(std::span(part)));
  EXPECT_EQ(hexadecimal(hash.finish()), of_abc);
}

}  // namespace
}  // namespace kernmill
