#include "kernmill/kernels/gemm.hpp"

#include "device_test.hpp"

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
