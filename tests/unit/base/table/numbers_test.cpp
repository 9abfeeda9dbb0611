#include "kernmill/base/table/numbers.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

std::string exact(std::string_view text) {
  double value = 0;
  return parse_exact_number(text, value);
}

TEST(Numbers, AWholeNumberThatADoubleDoesNotHoldIsNone) {
  for (const char* fine : {"1", "9007199254740992", "-9007199254740994", "+0009007199254740992", "1e300",
                           " 5 ", "10000000000000000000000", "9007199254740993.5", "1.2345678901234567890"})
    EXPECT_EQ(exact(fine), "") << fine;
  for (const char* lost :
       {"9007199254740993", "-9007199254740993", "1111111111111111111", " 1111111111111111112 "})
    EXPECT_EQ(exact(lost), "is a whole number of 2^53 or more that a double does not hold") << lost;
  EXPECT_EQ(exact("x"), "is not a number");
}

TEST(Numbers, AWholeNumberHasOneShortestSpelling) {
  EXPECT_EQ(shortest_integer("+007"), "7");
  EXPECT_EQ(shortest_integer("-0"), "0");
  EXPECT_EQ(shortest_integer("-010"), "-10");
  EXPECT_EQ(shortest_integer("1111111111111111113"), "1111111111111111113");
}

TEST(Numbers, SpellingsOfOneNumberHaveOneKey) {
  for (const char* one : {"1", "1.0", "+1", "1e0", "1.", "1.000000000000000000e+00", "10e-1"})
    EXPECT_EQ(name_key(one), "1") << one;
  for (const char* tenth : {"0.1", ".1", "0.10", "1e-1", "1.000000000000000056e-01"})
    EXPECT_EQ(name_key(tenth), "0.1") << tenth;
  EXPECT_EQ(name_key("-0.0"), "0");
  EXPECT_EQ(name_key("1e15"), name_key("1000000000000000"));
}

TEST(Numbers, ATextThatIsNoPlainNumberIsItsOwnKey) {
  for (const char* text : {"", "a", "007", "01.5", "1a", "nan", "inf", "0x10", "1,0", " 1", "-",
                           "9007199254740993.0", "1111111111111111112", "1e300", "3.10.1"})
    EXPECT_EQ(name_key(text), text);
}

}  // namespace
}  // namespace kernmill
