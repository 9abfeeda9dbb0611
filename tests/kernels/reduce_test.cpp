#include "device_test.hpp"
#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/reference/updates.hpp"

namespace kernmill::testing {
namespace {

template <class Space>
class Reductions : public ::testing::Test {};
TYPED_TEST_SUITE(Reductions, Devices);

TYPED_TEST(Reductions, ColumnSumsAgreeWithTheReferenceAcrossBlocks) {
  for (const std::size_t rows : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, std::size_t{20001}}) {
    const auto values = random_matrix(rows, 3, 1);
    const auto sums = kernels::make_vector<TypeParam>(3);
    kernels::column_sums<TypeParam>(TypeParam(), to_device<TypeParam>(values), sums);
    expect_near(to_host(sums), reference::column_sums(values), 1e-10);
  }
}

TYPED_TEST(Reductions, SumsInTeamsAgreeWithTheReferenceAndAreExactAboutTheEdges) {
  for (const std::size_t rows : {0, 1, 9, 4096, 9000})
    for (const std::size_t columns : {1, 31, 70}) {
      const auto values = random_matrix(rows, columns, 1);
      const std::size_t blocks = rows == 0 ? 1 : (rows + 4095) / 4096;
      const auto sums = kernels::make_matrix<TypeParam>(blocks, columns);
      kernels::detail::sum_blocks_in_teams<TypeParam, double, double>(
          TypeParam(), to_device<TypeParam>(values), sums,
          std::is_same_v<TypeParam, kernels::Host> ? 1 : 256);
      std::vector<double> of_blocks = to_host(sums), all(columns, 0.0);
      for (std::size_t i = 0; i < of_blocks.size(); ++i) all[i % columns] += of_blocks[i];
      expect_near(all, reference::column_sums(values), 1e-10);
    }
}

/// Folds leaves [cuts[i], cuts[i + 1]) apart, then what is left of them together.
template <class Space>
std::vector<double> fold(const std::vector<std::vector<double>>& leaves,
                         const std::vector<std::uint64_t>& cuts) {
  kernels::TreeFold<Space> together;
  for (std::size_t part = 0; part + 1 < cuts.size(); ++part) {
    kernels::TreeFold<Space> own;
    for (std::uint64_t leaf = cuts[part]; leaf < cuts[part + 1]; ++leaf) {
      own.add({0, leaf, to_device<Space>(leaves[leaf])});
    }
    std::vector<std::pair<unsigned, std::uint64_t>> left;
    for (const auto& node : own.nodes()) {
      left.emplace_back(node.level, node.index);
      together.add(node);
    }
    EXPECT_EQ(left, kernels::whole_subtrees(cuts[part], cuts[part + 1]));
  }
  EXPECT_EQ(together.nodes().size(), 1U);
  return to_host(together.nodes().front().sum);
}

TYPED_TEST(Reductions, TheTreeGivesTheSameBitsForEveryCutOfTheLeaves) {
  std::vector<std::vector<double>> leaves;
  for (std::uint64_t i = 0; i < 64; ++i) leaves.push_back(random_vector(5, i));
  const auto expected = reference::tree_sum(leaves);
  EXPECT_EQ(fold<TypeParam>(leaves, {0, 64}), expected);
  EXPECT_EQ(fold<TypeParam>(leaves, {0, 32, 64}), expected);
  EXPECT_EQ(fold<TypeParam>(leaves, {0, 22, 43, 64}), expected);
  EXPECT_EQ(fold<TypeParam>(leaves, {0, 1, 2, 2, 63, 64}), expected);
  for (std::uint64_t cut = 1; cut < 64; ++cut) EXPECT_EQ(fold<TypeParam>(leaves, {0, cut, 64}), expected);
}

}  // namespace
}  // namespace kernmill::testing
