#include "kernmill/kernels/random.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/gradient_sum.hpp"
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using kernels::Host;
using tasks::GradientSum;
using tasks::LeafSum;
using tasks::Summing;

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

/// Of so many pieces. Through memory of the host as where MPI takes none of the device, or without that.
class GradientSums : public Sums, public ::testing::WithParamInterface<bool> {
 protected:
  static constexpr std::size_t pieces = 16;

  /// Gives this rank's subtrees and pieces what the tree has there.
  void fill(GradientSum<double>& sum, std::size_t length) const {
    const storage::IndexRange own = sum.own();
    const auto nodes = kernels::whole_subtrees(own.begin, own.end);
    const auto gradients = sum.gradients(length);
    ASSERT_EQ(gradients.size(), nodes.size());
    for (std::size_t k = 0; k < nodes.size(); ++k)
      for (std::size_t i = 0; i < length; ++i)
        gradients[k](i) =
            along_the_tree(nodes[k].second << nodes[k].first, std::uint64_t{1} << nodes[k].first, i);
    for (std::uint64_t piece = own.begin; piece < own.end; ++piece)
      sum.losses()(piece - own.begin, 0) = number(piece, 0);
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

INSTANTIATE_TEST_SUITE_P(Messages, GradientSums, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "FromTheDevice" : "ThroughTheHost"; });

TEST_P(GradientSums, HaveTheBitsOfTheTreeWholeAndInSlices) {
  for (const bool may_cut : {false, true}) {
    GradientSum<double> sum(comm, Summing::exact, pieces, 1, may_cut, GetParam());
    for (const std::size_t length : {3U, 40'003U, 7U}) {
      fill(sum, length);
      const auto all = sum.sum(1U << static_cast<unsigned>(comm.rank()));
      EXPECT_EQ(all.range.count() < length, may_cut && length > 40'000 && comm.size() > 1);
      for (std::size_t i = 0; i < all.range.count(); i += 1 + length / 1000)
        ASSERT_EQ(all.gradient(i), along_the_tree(0, pieces, all.range.begin + i))
            << "at " << i << " of " << length;
      EXPECT_EQ(all.losses[0], along_the_tree(0, pieces, 0));
      EXPECT_EQ(sum.wishes(), (1U << static_cast<unsigned>(comm.size())) - 1);
    }
  }
}

TEST_P(GradientSums, LetEachRankHaveTheSlicesOfTheOthers) {
  const std::size_t length = 40'003;
  GradientSum<double> sum(comm, Summing::exact, pieces, 1, true, GetParam());
  const kernels::Vector<Host> values("values", length);
  const storage::IndexRange own = sum.share(length, comm.rank());
  for (std::size_t i = own.begin; i < own.end; ++i) values(i) = number(5, i);
  sum.complete(values);
  for (std::size_t i = 0; i < length; ++i) ASSERT_EQ(values(i), number(5, i));
}

// Parts come while others are still computed, from the end to the beginning.
TEST_P(GradientSums, AreMadeOfPartsWhereTheirOrderDoesNotCount) {
  const std::size_t length = 700'000, half = 300'000;
  GradientSum<double> sum(comm, Summing::fast, pieces, 1, true, GetParam());
  for (int step = 0; step < 2; ++step) {
    const auto gradient = sum.gradients(length)[0];
    for (std::size_t i = half; i < length; ++i) gradient(i) = static_cast<double>(i * (comm.rank() + 1));
    sum.ready({half, length - half});
    for (std::size_t i = 0; i < half; ++i) gradient(i) = static_cast<double>(i * (comm.rank() + 1));
    sum.ready({0, half});
    const auto all = sum.sum(0);
    const int shares = comm.size() * (comm.size() + 1) / 2;
    for (std::size_t i = 0; i < length; i += 97)
      ASSERT_EQ(all.gradient(i), static_cast<double>(i * shares)) << "at " << i;
  }
}

}  // namespace
}  // namespace kernmill::testing
