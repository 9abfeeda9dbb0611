#include "kernmill/kernels/curvature.hpp"

#include "device_test.hpp"
#include "kernmill/kernels/gram.hpp"
#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/margin_loss.hpp"
#include "kernmill/reference/losses.hpp"

namespace kernmill::testing {
namespace {

constexpr std::size_t rows = 29;

std::vector<int> labels_of(std::size_t outputs) {
  std::vector<int> labels(rows);
  for (std::size_t i = 0; i < rows; ++i) labels[i] = static_cast<int>(i * 5 % outputs);
  return labels;
}

/// Second derivatives against central differences of the gradients, along one direction.
template <class Space>
class Curvatures : public ::testing::Test {
 protected:
  using Matrix = kernels::Matrix<Space>;

  template <class Loss, class Set, class Multiply>
  static void differentiate(std::size_t outputs, const Loss& loss, const Set& set, const Multiply& multiply) {
    constexpr double step = 1e-6;
    const reference::Matrix z = random_matrix(rows, outputs, 1), u = random_matrix(rows, outputs, 2);
    const auto gradient_at = [&](double length) {
      reference::Matrix moved = z;
      for (std::size_t i = 0; i < moved.values.size(); ++i) moved.values[i] += length * u.values[i];
      const Matrix gradient = to_device<Space>(moved);
      loss(gradient, kernels::make_matrix<Space>(rows, outputs + 1));
      return gradient;
    };
    const auto above = to_host(gradient_at(step)), below = to_host(gradient_at(-step));
    const Matrix curvature = kernels::make_matrix<Space>(rows, outputs), product = to_device<Space>(u);
    set(gradient_at(0), curvature);
    multiply(curvature, product);
    const auto values = to_host(product);
    for (std::size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], (above[i] - below[i]) / (2 * step), 1e-6) << "at " << i;
  }
  static void entries(const Matrix& curvature, const Matrix& u) {
    kernels::multiply_entries<Space>(Space(), curvature, u);
  }
};
TYPED_TEST_SUITE(Curvatures, Devices);

TYPED_TEST(Curvatures, OfTheCrossEntropyAreItsSecondDerivatives) {
  const auto labels = to_device<TypeParam>(labels_of(4));
  this->differentiate(
      4,
      [&](auto z, auto) {
        kernels::cross_entropy<TypeParam>(TypeParam(), labels, z, kernels::make_matrix<TypeParam>(rows, 2));
      },
      [&](auto g, auto c) { kernels::softmax_curvature<TypeParam>(TypeParam(), labels, g, c); },
      [&](auto c, auto u) { kernels::multiply_by_softmax<TypeParam>(TypeParam(), c, u); });
}

TYPED_TEST(Curvatures, OfTheSquaredHingeAreItsSecondDerivatives) {
  const auto labels = to_device<TypeParam>(labels_of(3));
  this->differentiate(
      3, [&](auto z, auto t) { kernels::squared_hinge<TypeParam>(TypeParam(), labels, z, t); },
      [&](auto g, auto c) { kernels::quadratic_curvature<TypeParam>(TypeParam(), g, c); },
      TestFixture::entries);
}

TYPED_TEST(Curvatures, OfTheLogisticLossAreItsSecondDerivatives) {
  const auto labels = to_device<TypeParam>(labels_of(2));
  this->differentiate(
      1, [&](auto z, auto t) { kernels::logistic<TypeParam>(TypeParam(), labels, z, t); },
      [&](auto g, auto c) { kernels::logistic_curvature<TypeParam>(TypeParam(), g, c); },
      TestFixture::entries);
}

// The loss of one output is the cross-entropy of two, the other of which is 0.
TYPED_TEST(Curvatures, TheLogisticLossIsTheCrossEntropyOfTwoClasses) {
  const std::vector<int> labels = labels_of(2);
  const reference::Matrix z = random_matrix(rows, 1, 3);
  reference::Matrix both(rows, 2);
  for (std::size_t i = 0; i < rows; ++i) both(i, 1) = z(i, 0);
  const auto expected = reference::cross_entropy(labels, both);
  const auto gradient = to_device<TypeParam>(z), terms = kernels::make_matrix<TypeParam>(rows, 2);
  kernels::logistic<TypeParam>(TypeParam(), to_device<TypeParam>(labels), gradient, terms);
  expect_near(to_host(terms), expected.terms.values);
  std::vector<double> of_second(rows);
  for (std::size_t i = 0; i < rows; ++i) of_second[i] = expected.gradient(i, 1);
  expect_near(to_host(gradient), of_second);
}

TYPED_TEST(Curvatures, StepsGoAlongEachOutputByItsOwnLength) {
  const reference::Matrix start = random_matrix(rows, 3, 1), along = random_matrix(rows, 3, 2);
  const auto z = kernels::make_matrix<TypeParam>(rows, 3);
  kernels::step_along<TypeParam>(TypeParam(), to_device<TypeParam>(start),
                                 to_device<TypeParam>(std::vector<double>{0.0, 0.5, 2.0}),
                                 to_device<TypeParam>(along), z);
  const auto values = to_host(z);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(values[i * 3 + j], start(i, j) + (j == 0 ? 0.0 : j == 1 ? 0.5 : 2.0) * along(i, j), 1e-15);
}

TYPED_TEST(Curvatures, PickedRowsAreScaledByRowAndColumn) {
  const reference::Matrix all = random_matrix(rows, 2, 1);
  const std::vector<std::uint32_t> places{3, 28};
  const auto picked = kernels::make_matrix<TypeParam, float>(2, 2);
  kernels::put_picked<TypeParam>(TypeParam(), to_device<TypeParam>(all),
                                 kernels::on_space<TypeParam>(places.data(), places.size()),
                                 to_device<TypeParam>(std::vector<double>{2.0, 4.0}),
                                 to_device<TypeParam>(std::vector<double>{1.0, 0.5}), picked);
  const auto on_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), picked);
  EXPECT_EQ(on_host(0, 0), static_cast<float>(2 * all(3, 0)));
  EXPECT_EQ(on_host(0, 1), static_cast<float>(all(3, 1)));
  EXPECT_EQ(on_host(1, 0), static_cast<float>(4 * all(28, 0)));
  EXPECT_EQ(on_host(1, 1), static_cast<float>(2 * all(28, 1)));
}

}  // namespace
}  // namespace kernmill::testing
