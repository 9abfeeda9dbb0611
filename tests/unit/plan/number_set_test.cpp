#include "kernmill/plan/number_set.hpp"

#include <random>
#include <set>

#include <gtest/gtest.h>

namespace kernmill::testing {
namespace {

TEST(NumberSet, IsEmptyAtFirst) {
  EXPECT_TRUE(NumberSet(100).empty());
  EXPECT_EQ(NumberSet(100).smallest(), std::nullopt);
  EXPECT_TRUE(NumberSet(0).empty());
}

TEST(NumberSet, ANumberPutInTwiceIsOutOnceTakenOut) {
  NumberSet set(10);
  set.insert(3);
  set.insert(3);
  set.erase(3);
  EXPECT_TRUE(set.empty());
}

class NumberSetOfSize : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(NumberSetOfSize, AgreesWithAnOrderedSet) {
  std::mt19937 random(GetParam());
  std::uniform_int_distribution<std::uint32_t> number(0, GetParam() - 1);
  NumberSet set(GetParam());
  std::set<std::uint32_t> expected;
  for (int i = 0; i < 3000; ++i) {
    const std::uint32_t n = number(random);
    if (random() % 2 == 0) {
      set.insert(n);
      expected.insert(n);
    } else {
      set.erase(n);
      expected.erase(n);
    }
    ASSERT_EQ(set.smallest(), expected.empty() ? std::nullopt : std::optional(*expected.begin()));
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, NumberSetOfSize, ::testing::Values(1, 63, 64, 65, 4096, 4097, 300000));

}  // namespace
}  // namespace kernmill::testing
