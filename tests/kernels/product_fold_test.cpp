#include "kernmill/kernels/product_fold.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "device_test.hpp"
#include "kernmill/kernels/activation.hpp"

namespace kernmill::testing {
namespace {

using kernels::Host;

template <class T>
class ProductFold : public ::testing::Test {
 protected:
  using Matrix = kernels::Matrix<Host, T>;

  static Matrix random(std::size_t rows, std::size_t columns, std::uint64_t seed) {
    const auto values = random_matrix(rows, columns, seed);
    auto out = kernels::make_matrix<Host, T>(rows, columns);
    for (std::size_t i = 0; i < values.values.size(); ++i) out.data()[i] = static_cast<T>(values.values[i]);
    return out;
  }
  static Matrix flipped(const Matrix& values) {
    auto out = kernels::make_matrix<Host, T>(values.extent(1), values.extent(0));
    for (std::size_t i = 0; i < values.extent(0); ++i)
      for (std::size_t j = 0; j < values.extent(1); ++j) out(j, i) = values(i, j);
    return out;
  }
  /// One piece: row after row, rounded once or twice as the processor does it.
  static std::vector<T> product(const Matrix& a, std::size_t first, std::size_t count, const Matrix& b,
                                std::size_t begin, std::size_t end) {
    std::vector<T> out(count * b.extent(1), T(0));
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = 0; j < b.extent(1); ++j)
        for (std::size_t row = begin; row < end; ++row) {
          T& sum = out[i * b.extent(1) + j];
          const T left = a(row, first + i), right = b(row, j);
          const T both = left * right;
          sum = kernels::rounds_once() ? std::fma(left, right, sum) : sum + both;
        }
    return out;
  }
  /// The sums of both subtrees of three pieces, by the code of a level: of the rows of a, and the columns of
  /// b.
  static std::vector<T> fold(const Matrix& a, const Matrix& b, std::span<const std::size_t> cuts,
                             const kernels::detail::ProductCode<T>& code, std::size_t threads) {
    const std::size_t m = a.extent(0), n = b.extent(1);
    std::vector<T> sums(2 * m * n);
    T* const out[] = {sums.data(), sums.data() + m * n};
    kernels::detail::fold_products<T>({.a = {a.data(), a.extent(1), true},
                                       .count = m,
                                       .b = {b.data(), n},
                                       .n = n,
                                       .cuts = cuts,
                                       .first_leaf = 0,
                                       .sums = out},
                                      code, threads);
    return sums;
  }
  static void expect_the_tree(std::size_t m, std::size_t first, std::size_t count, std::size_t n,
                              const std::vector<std::size_t>& cuts, std::uint64_t first_leaf) {
    const Matrix a = random(cuts.back(), m, 1), b = random(cuts.back(), n, 2);
    kernels::TreeFold<Host, T> tree;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const auto sum = kernels::make_vector<Host, T>(count * n);
      const std::vector<T> values = product(a, first, count, b, cuts[i], cuts[i + 1]);
      std::copy(values.begin(), values.end(), sum.data());
      tree.add({0, first_leaf + i, sum});
    }
    std::vector<std::vector<T>> sums(tree.nodes().size(), std::vector<T>(count * n, T(7)));
    std::vector<T*> out;
    for (auto& sum : sums) out.push_back(sum.data());
    kernels::fold_products<T>(a, first, count, b, cuts, first_leaf, out);
    for (std::size_t k = 0; k < sums.size(); ++k)
      for (std::size_t i = 0; i < count * n; ++i)
        ASSERT_EQ(sums[k][i], tree.nodes()[k].sum(i))
            << "subtree " << k << ", entry " << i << " of " << count << " x " << n;
  }
};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ProductFold, Types);

TYPED_TEST(ProductFold, HasTheBitsOfTheTreeForEveryShape) {
  for (const std::size_t m : {1U, 7U, 8U, 21U})
    for (const std::size_t n : {1U, 8U, 15U, 16U, 17U, 33U, 48U, 49U, 100U})
      this->expect_the_tree(m, 0, m, n, {0, 5, 11, 16, 20}, 0);
}

TYPED_TEST(ProductFold, LeavesTheSubtreesOfAnyRunOfLeaves) {
  for (std::uint64_t first_leaf = 0; first_leaf < 9; ++first_leaf)
    for (const std::size_t pieces : {1U, 2U, 3U, 7U, 16U}) {
      std::vector<std::size_t> cuts(pieces + 1);
      for (std::size_t i = 0; i <= pieces; ++i) cuts[i] = 3 * i;
      this->expect_the_tree(9, 0, 9, 10, cuts, first_leaf);
    }
}

TYPED_TEST(ProductFold, MultipliesRowsOneByOne) {
  using kernels::Transpose;
  for (const std::size_t m : {1U, 8U, 21U})
    for (const std::size_t inner : {0U, 1U, 15U, 16U, 35U, 64U})
      for (const std::size_t n : {1U, 16U, 24U, 47U, 48U, 100U}) {
        const auto a = this->random(inner, m, 1), b = this->random(inner, n, 2);
        const auto expected = this->product(a, 0, m, b, 0, inner);
        const auto rows = this->flipped(a), columns = this->flipped(b);
        for (const Transpose how : {Transpose::no, Transpose::yes}) {
          const auto c = kernels::make_matrix<Host, TypeParam>(m, n);
          kernels::multiply_rows<TypeParam>(rows, how, how == Transpose::no ? b : columns, c);
          for (std::size_t i = 0; i < m * n; ++i)
            ASSERT_EQ(c.data()[i], expected[i])
                << "entry " << i << " of " << m << " x " << inner << " x " << n;
        }
      }
}

TYPED_TEST(ProductFold, HasTheSameBitsOnAnyNumberOfThreads) {
  using T = TypeParam;
  constexpr std::size_t m = 75, inner = 40;
  const std::vector<std::size_t> cuts{0, 15, 30, inner};
  for (const std::size_t n : {5U, 150U}) {
    const auto a = this->random(m, inner, 1), b = this->random(inner, n, 2);
    const auto fold = [&](std::size_t threads) {
      return this->fold(a, b, cuts, kernels::detail::product_code<T>(), threads);
    };
    for (const std::size_t threads : {2U, 3U, 16U}) EXPECT_EQ(fold(threads), fold(1)) << threads;
  }
}

TYPED_TEST(ProductFold, MultipliesByTheSlopeAsThatIsDoneAlone) {
  constexpr std::size_t m = 13, inner = 9, n = 50;
  const auto a = this->random(m, inner, 1), b = this->random(inner, n, 2), activated = this->random(m, n, 3);
  const auto together = kernels::make_matrix<Host, TypeParam>(m, n);
  const auto alone = kernels::make_matrix<Host, TypeParam>(m, n);
  kernels::multiply_rows<TypeParam>(a, kernels::Transpose::no, b, together, {.rectified = activated});
  kernels::multiply_rows<TypeParam>(a, kernels::Transpose::no, b, alone);
  kernels::backward_activation<Host, TypeParam>(Host(), kernels::Activation::relu, activated, alone);
  EXPECT_EQ(std::memcmp(together.data(), alone.data(), m * n * sizeof(TypeParam)), 0);
}

#if KERNMILL_HAS_PROCESSOR_LEVELS
TYPED_TEST(ProductFold, HasTheSameBitsOnOtherProcessors) {
  using T = TypeParam;
  if (kernels::processor_level() != kernels::ProcessorLevel::x86_64_v4)
    GTEST_SKIP() << "this processor has one of these levels";
  constexpr std::size_t m = 21, inner = 70, n = 100;
  const std::vector<std::size_t> cuts{0, 30, 45, inner};
  const auto a = this->random(m, inner, 1), b = this->random(inner, n, 2);
  EXPECT_EQ(this->fold(a, b, cuts, kernels::detail::product_code_v4<T>, 1),
            this->fold(a, b, cuts, kernels::detail::product_code_v3<T>, 1));
}
#endif

TYPED_TEST(ProductFold, AddsBiasesAndRectifiesAsThatIsDoneAlone) {
  using kernels::Activation;
  constexpr std::size_t m = 13, inner = 9, n = 50;
  auto a = this->random(m, inner, 1);
  a(3, 2) = std::numeric_limits<TypeParam>::quiet_NaN();
  const auto b = this->random(inner, n, 2), biases = this->random(1, n, 3);
  const auto bias = kernels::Vector<Host, TypeParam>(biases.data(), n);
  for (const Activation how : {Activation::identity, Activation::relu}) {
    const auto together = kernels::make_matrix<Host, TypeParam>(m, n);
    const auto alone = kernels::make_matrix<Host, TypeParam>(m, n);
    kernels::multiply_rows<TypeParam>(a, kernels::Transpose::no, b, together,
                                      {bias, how == Activation::relu});
    kernels::multiply_rows<TypeParam>(a, kernels::Transpose::no, b, alone);
    kernels::add_bias_and_activate<Host, TypeParam>(Host(), how, bias, alone);
    EXPECT_TRUE(std::isnan(together(3, 7)));
    EXPECT_EQ(std::memcmp(together.data(), alone.data(), m * n * sizeof(TypeParam)), 0);
  }
}

TYPED_TEST(ProductFold, TakesSomeOfTheColumnsAndPiecesWithoutRows) {
  this->expect_the_tree(30, 11, 13, 20, {0, 0, 4, 4, 9, 9}, 2);
}

TYPED_TEST(ProductFold, AddsOnePieceToWhatIsThere) {
  using T = TypeParam;
  const auto a = this->random(13, 10, 1), b = this->random(13, 19, 2);
  const auto sum = kernels::make_matrix<Host, T>(4, 19);
  Kokkos::deep_copy(sum, T(3));
  kernels::add_product_of_columns<Host, T>(Host(), a, 5, 4, b, sum);
  const std::vector<T> expected = this->product(a, 5, 4, b, 0, 13);
  for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(sum.data()[i], T(3) + expected[i]) << i;
}

}  // namespace
}  // namespace kernmill::testing
