#include "kernmill/kernels/gemm.hpp"

#include <cmath>
#include <limits>

#include "device_test.hpp"
#include "kernmill/kernels/optimizer.hpp"
#include "kernmill/kernels/product_fold.hpp"

namespace kernmill::testing {
namespace {

using kernels::Multiply;
using kernels::Transpose;

template <class Space>
class Gemm : public ::testing::Test {
 protected:
  void compare(std::size_t m, std::size_t n, std::size_t k, Transpose ta, Transpose tb, Multiply how) {
    const auto a = random_matrix(m, k, 1), b = random_matrix(k, n, 2), c = random_matrix(m, n, 3);
    const auto stored_a = to_device<Space>(ta == Transpose::yes ? reference::transposed(a) : a);
    const auto stored_b = to_device<Space>(tb == Transpose::yes ? reference::transposed(b) : b);
    const auto out = to_device<Space>(c);
    kernels::gemm<Space>(Space(), ta, tb, 0.75, stored_a, stored_b, -2.0, out, how);
    expect_near(to_host(out), reference::gemm(0.75, a, b, -2.0, c).values);
  }
};
TYPED_TEST_SUITE(Gemm, Devices);

TYPED_TEST(Gemm, AgreesWithTheReferenceForEveryTranspositionAndShape) {
  for (const Multiply how : {Multiply::fast, Multiply::exact}) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        this->compare(1, 1, 1, ta, tb, how);
        this->compare(7, 5, 3, ta, tb, how);
        this->compare(33, 17, 65, ta, tb, how);
      }
    }
  }
}

// torch.tensor(x).bfloat16() gives these.
TEST(Bfloat16, IsTheNearestAndOfTwoTheEvenOne) {
  EXPECT_EQ(kernels::as_bfloat16(1.00390625F), 1.0F);       // between 1 and 1.0078125
  EXPECT_EQ(kernels::as_bfloat16(1.01171875F), 1.015625F);  // between 1.0078125 and 1.015625
  EXPECT_EQ(kernels::as_bfloat16(1.0039064F), 1.0078125F);
  EXPECT_EQ(kernels::as_bfloat16(-3.1415927F), -3.140625F);
  EXPECT_EQ(kernels::as_bfloat16(3.4e38F), std::numeric_limits<float>::infinity());
  EXPECT_EQ(kernels::as_bfloat16(1e-40F), 9.183549615799121e-41F);
  EXPECT_TRUE(std::signbit(kernels::as_bfloat16(-0.0F)));
  EXPECT_TRUE(std::isnan(kernels::as_bfloat16(std::nanf(""))));
}

TYPED_TEST(Gemm, RoundsTheFactorsToBfloat16AndNothingElse) {
  using Matrix = kernels::Matrix<TypeParam, float>;
  const auto rounded = [](reference::Matrix matrix) {
    for (double& value : matrix.values) value = kernels::as_bfloat16(static_cast<float>(value));
    return matrix;
  };
  const auto in_float = [](const reference::Matrix& matrix) {
    const auto out = kernels::make_matrix<TypeParam, float>(matrix.rows, matrix.columns);
    kernels::convert<TypeParam, double, float>(TypeParam(), to_device<TypeParam>(matrix.values),
                                               kernels::Vector<TypeParam, float>(out.data(), out.size()));
    return out;
  };
  const auto expect = [](const Matrix& matrix, const reference::Matrix& expected) {
    const std::vector<float> values = to_host(matrix);
    expect_near({values.begin(), values.end()}, expected.values, 1e-5);
  };
  const auto a = random_matrix(33, 70, 1), b = random_matrix(70, 9, 2), c = random_matrix(33, 9, 3);
  const Matrix product = in_float(c);
  kernels::gemm<TypeParam, float>(TypeParam(), Transpose::no, Transpose::no, 0.75F, in_float(a), in_float(b),
                                  -2.0F, product, Multiply::bfloat16);
  expect(product, reference::gemm(0.75, rounded(a), rounded(b), -2.0, c));
  const auto rows = random_matrix(33, 12, 4);
  const auto gradient = random_matrix(70, 12, 5);
  const Matrix sum = in_float(gradient);
  kernels::add_product_of_columns<TypeParam, float>(TypeParam(), in_float(a), 0, 70, in_float(rows), sum,
                                                    Multiply::bfloat16);
  expect(sum, reference::gemm(1.0, reference::transposed(rounded(a)), rounded(rows), 1.0, gradient));
}

TYPED_TEST(Gemm, OverwritesWhatWasThereWhenBetaIsZero) {
  const auto a = random_matrix(4, 6, 1), b = random_matrix(6, 5, 2);
  reference::Matrix nan(4, 5);
  std::fill(nan.values.begin(), nan.values.end(), std::nan(""));
  for (const Multiply how : {Multiply::fast, Multiply::exact}) {
    const auto out = to_device<TypeParam>(nan);
    kernels::gemm<TypeParam>(TypeParam(), Transpose::no, Transpose::no, 1.0, to_device<TypeParam>(a),
                             to_device<TypeParam>(b), 0.0, out, how);
    expect_near(to_host(out), reference::gemm(1.0, a, b, 0.0, reference::Matrix(4, 5)).values);
  }
}

TYPED_TEST(Gemm, AnEmptySumLeavesBetaTimesC) {
  const auto c = random_matrix(3, 2, 1);
  const auto out = to_device<TypeParam>(c);
  kernels::gemm<TypeParam>(TypeParam(), Transpose::no, Transpose::no, 1.0,
                           kernels::make_matrix<TypeParam>(3, 0), kernels::make_matrix<TypeParam>(0, 2), 1.0,
                           out);
  EXPECT_EQ(to_host(out), c.values);
}

TYPED_TEST(Gemm, HasTheSameBitsWhereverTheOperandsLie) {
  const auto a = random_matrix(23, 64, 1), b = random_matrix(64, 10, 2);
  const auto device_b = to_device<TypeParam>(b);
  const auto whole = to_device<TypeParam>(a.values);
  std::vector<double> first;
  for (std::size_t shift = 0; shift < 4; ++shift) {
    const auto room = kernels::make_vector<TypeParam>(a.values.size() + 4);
    Kokkos::deep_copy(kernels::part_of<TypeParam>(room, shift, a.values.size()), whole);
    const auto out = kernels::make_matrix<TypeParam>(23, 10);
    kernels::gemm<TypeParam>(TypeParam(), Transpose::no, Transpose::no, 1.0,
                             kernels::matrix_of<TypeParam>(room, shift, 23, 64), device_b, 0.0, out);
    if (shift == 0) first = to_host(out);
    EXPECT_EQ(to_host(out), first);
  }
}

}  // namespace
}  // namespace kernmill::testing
