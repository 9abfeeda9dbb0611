#include "kernmill/tasks/data/prepare/exact_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

double sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double value : values) sum.add(value);
  return sum.value();
}

TEST(ExactSum, LosesNothingToCancellation) {
  EXPECT_EQ(sum_of({1e300, 1.0, -1e300}), 1.0);
  EXPECT_EQ(sum_of({1e16, 1.0, 1.0, -1e16}), 2.0);
  EXPECT_EQ(sum_of({0.5, -0.5}), 0.0);
  EXPECT_EQ(sum_of({}), 0.0);
}

TEST(ExactSum, OfOneValueIsTheValue) {
  for (const double value : {1.0, -1.0, 0.1, -3.7e-200, 1.7976931348623157e308, -2.2250738585072014e-308,
                             4.9e-324, 4294967296.0, 1e22})
    EXPECT_EQ(sum_of({value}), value);
}

TEST(ExactSum, IsRoundedToTheNearestEvenOnce) {
  const double half = std::ldexp(1.0, -53);
  EXPECT_EQ(sum_of({1.0, half}), 1.0);                     // a tie: to even
  EXPECT_EQ(sum_of({1.0, half, 1e-200}), 1.0 + 2 * half);  // just above the tie
  EXPECT_EQ(sum_of({1.0, half, -1e-200}), 1.0);            // just below
  EXPECT_EQ(sum_of({-1.0, -half, -1e-200}), -1.0 - 2 * half);
}

TEST(ExactSum, DoesNotDependOnTheOrderOrOnWhoAdds) {
  std::mt19937_64 random(3);
  std::vector<double> values(2000);
  for (double& value : values)
    value = std::ldexp(static_cast<double>(random()) - 9e18, static_cast<int>(random() % 200) - 100);
  const double expected = sum_of(values);
  std::shuffle(values.begin(), values.end(), random);
  EXPECT_EQ(sum_of(values), expected);
  ExactSum left, right;
  for (std::size_t i = 0; i < values.size(); ++i) (i % 3 == 0 ? left : right).add(values[i]);
  const auto from = right.digits();
  const auto to = left.digits();
  for (std::size_t i = 0; i < ExactSum::size; ++i) to[i] += from[i];
  EXPECT_EQ(left.value(), expected);
}

TEST(ExactSum, AgreesWithLongDoubleWhereThatIsExact) {
  std::mt19937_64 random(5);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> values(50);
    long double expected = 0;
    for (double& value : values) expected += value = static_cast<double>(random() >> 12U) - 2e15;
    EXPECT_EQ(sum_of(values), static_cast<double>(expected));
  }
}

}  // namespace
}  // namespace kernmill::tasks
