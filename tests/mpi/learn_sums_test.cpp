#include "kernmill/kernels/random.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using kernels::Host;
using tasks::LeafSum;

/// Numbers of many magnitudes, so that another order gives other bits.
double number(std::uint64_t leaf, std::uint64_t index) {
  const std::uint64_t bits = kernels::random_bits(1, leaf, index);
  return std::ldexp(static_cast<double>(bits >> 11U) * 0x1p-53 - 0.5, static_cast<int>(bits % 40));
}

void fill(std::uint64_t leaf, const kernels::Vector<Host>& values) {
  for (std::size_t i = 0; i < values.extent(0); ++i) values(i) = number(leaf, i);
}

/// One number, along the tree: halves first.
double along_the_tree(std::uint64_t first, std::uint64_t count, std::uint64_t index) {
  if (count == 1) return number(first, index);
  return along_the_tree(first, count / 2, index) + along_the_tree(first + count / 2, count / 2, index);
}

class Sums : public LearnWorld {
 protected:
  void expect_the_tree(LeafSum<Host>& sum, std::size_t length, unsigned wishes = 0) {
    sum.set_length(length);
    const auto values = sum(fill, wishes);
    ASSERT_EQ(values.size(), length);
    for (std::size_t i = 0; i < length; i += 1 + length / 1000)
      ASSERT_EQ(values[i], along_the_tree(0, 64, i)) << "at " << i << " of " << length;
  }
};

// Long vectors are cut into slices, one a rank; short ones are not.
TEST_F(Sums, HaveTheBitsOfTheTreeForShortVectorsAndLongOnes) {
  LeafSum<Host> sum(comm, 64, 1);
  for (const std::size_t length : {1U, 3U, 40'003U, 32'767U, 32'768U, 5U}) expect_the_tree(sum, length);
}

TEST_F(Sums, BringTheWishesOfAllRanksAlong) {
  LeafSum<Host> sum(comm, 64, 1);
  for (const std::size_t length : {2U, 40'000U}) {
    expect_the_tree(sum, length, 1U << static_cast<unsigned>(comm.rank()));
    EXPECT_EQ(sum.wishes(), (1U << static_cast<unsigned>(comm.size())) - 1);
  }
}

}  // namespace
}  // namespace kernmill::testing
