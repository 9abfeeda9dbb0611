#include <numeric>
#include <set>

#include "device_test.hpp"
#include "kernmill/kernels/permutation.hpp"
#include "kernmill/kernels/tabulated_permutation.hpp"

namespace kernmill::testing {
namespace {

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  const auto expect = [](kernels::Counter counter, std::uint64_t key, std::vector<std::uint32_t> answer) {
    const kernels::Counter drawn = kernels::philox(counter, key);
    EXPECT_EQ(std::vector<std::uint32_t>(drawn.word, drawn.word + 4), answer);
  };
  expect({{0, 0, 0, 0}}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  expect({{~0U, ~0U, ~0U, ~0U}}, ~0ULL, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  expect({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822ULL,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

template <class Space>
class Uniform : public ::testing::Test {};
TYPED_TEST_SUITE(Uniform, Devices);

TYPED_TEST(Uniform, NumbersFillTheIntervalEvenly) {
  const auto drawn = kernels::make_vector<TypeParam>(40000);
  kernels::fill_uniform<TypeParam>(TypeParam(), 3, 1, 2.0, drawn);
  std::vector<double> values = to_host(drawn);
  std::sort(values.begin(), values.end());
  double distance = 0;  // Kolmogorov and Smirnov's
  for (std::size_t i = 0; i < values.size(); ++i) {
    distance = std::max(distance, std::abs((values[i] + 2) / 4 - static_cast<double>(i) / 40000));
  }
  EXPECT_LT(distance, 1.63 / 200);
  EXPECT_GE(values.front(), -2.0);
  EXPECT_LT(values.back(), 2.0);
}

TYPED_TEST(Uniform, NumbersDependOnTheirKeyAlone) {
  const auto many = kernels::make_vector<TypeParam>(1000), few = kernels::make_vector<TypeParam>(10);
  kernels::fill_uniform<TypeParam>(TypeParam(), 3, 1, 1.0, many);
  kernels::fill_uniform<TypeParam>(TypeParam(), 3, 1, 1.0, few);
  auto head = to_host(many);
  head.resize(10);
  EXPECT_EQ(to_host(few), head);
  kernels::fill_uniform<TypeParam>(TypeParam(), 4, 1, 1.0, few);
  EXPECT_NE(to_host(few), head);
}

TEST(Permutation, TakesEachNumberOnce) {
  for (const std::uint64_t size : {1U, 2U, 3U, 4U, 5U, 63U, 64U, 65U, 1000U, 4097U}) {
    const kernels::Permutation order(size, 5, 2);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < size; ++i) {
      EXPECT_LT(order(i), size);
      seen.insert(order(i));
    }
    EXPECT_EQ(seen.size(), size);
  }
}

TEST(Permutation, GoesTheSameWayByTables) {
  for (const std::uint64_t size : {1ULL, 2ULL, 5ULL, 1000ULL, 70'000ULL, 3'000'000'000ULL, 1ULL << 40U}) {
    const kernels::Permutation order(size, 7, 3);
    const kernels::TabulatedPermutation tabulated(size, 7, 3);
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size, 2000); ++i)
      ASSERT_EQ(tabulated(size - 1 - i), order(size - 1 - i)) << size;
  }
}

TEST(Permutation, DiffersByEpochAndSeed) {
  const auto list = [](std::uint64_t seed, std::uint64_t epoch) {
    const kernels::Permutation order(100, seed, epoch);
    std::vector<std::uint64_t> numbers(100);
    for (std::uint64_t i = 0; i < 100; ++i) numbers[i] = order(i);
    return numbers;
  };
  EXPECT_EQ(list(1, 1), list(1, 1));
  EXPECT_NE(list(1, 1), list(1, 2));
  EXPECT_NE(list(1, 1), list(2, 1));
}

// With 1000 epochs each of 10 rows should come first about 100 times; six standard deviations are 57.
TEST(Permutation, PutsEveryRowFirstEquallyOften) {
  std::vector<int> first(10, 0);
  for (std::uint64_t epoch = 0; epoch < 1000; ++epoch) ++first[kernels::Permutation(10, 1, epoch)(0)];
  for (const int count : first) EXPECT_NEAR(count, 100, 57);
}

}  // namespace
}  // namespace kernmill::testing
