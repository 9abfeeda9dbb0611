#include "kernmill/kernels/corner_loss.hpp"

#include <cmath>

#include "device_test.hpp"
#include "kernmill/kernels/gram.hpp"

namespace kernmill::testing {
namespace {

/// x - m log(x - r) - m log x at its least, by bisection of its slope.
double smoothed(double r, double m) {
  double low = std::max(r, 0.0), high = low + 1e3;
  for (int i = 0; i < 200; ++i) {
    const double x = 0.5 * (low + high);
    (1 - m / (x - r) - m / x < 0 ? low : high) = x;
  }
  const double x = 0.5 * (low + high);
  return x - m * std::log(x - r) - m * std::log(x);
}

TEST(Corners, HaveTheLeastOfTheBarrier) {
  for (const double m : {1.0, 1e-3})
    for (const double r : {-2.0, -0.1, 0.0, 0.3, 5.0})
      EXPECT_NEAR(kernels::corner(r, m).value, smoothed(r, m), 1e-9) << r << ", " << m;
}

TEST(Corners, HaveTheDerivativesOfTheirValues) {
  constexpr double step = 1e-5, m = 0.1;
  for (const double r : {-2.0, -0.1, 0.0, 0.3, 5.0}) {
    const auto at = kernels::corner(r, m), above = kernels::corner(r + step, m),
               below = kernels::corner(r - step, m);
    EXPECT_NEAR(at.slope, (above.value - below.value) / (2 * step), 1e-8) << r;
    EXPECT_NEAR(at.curvature, (above.slope - below.slope) / (2 * step), 1e-8) << r;
  }
}

template <class Space>
class NumberLosses : public ::testing::Test {};
TYPED_TEST_SUITE(NumberLosses, Devices);

TYPED_TEST(NumberLosses, AreWhatTheirFormulasSay) {
  constexpr std::size_t rows = 5;
  const reference::Matrix target(rows, 1);
  reference::Matrix z(rows, 1);
  z.values = {-2.0, -0.25, 0.0, 0.5, 3.0};
  const auto of_zeros = to_device<TypeParam>(target);
  const auto run = [&](const auto& loss) {
    const auto gradient = to_device<TypeParam>(z), terms = kernels::make_matrix<TypeParam>(rows, 2);
    loss(gradient, terms);
    auto values = to_host(terms);
    const auto gradients = to_host(gradient);
    values.insert(values.end(), gradients.begin(), gradients.end());
    return values;
  };
  expect_near(
      run([&](auto x, auto terms) { kernels::half_huber<TypeParam>(TypeParam(), of_zeros, 1.0, x, terms); }),
      {1.5, 0, 0.03125, 0, 0, 0, 0.125, 0, 2.5, 0, -1, -0.25, 0, 0.5, 1});
  expect_near(run([&](auto x, auto terms) {
                kernels::squared_epsilon_insensitive<TypeParam>(TypeParam(), of_zeros, 0.5, x, terms);
              }),
              {2.25, 0, 0, 0, 0, 0, 0, 0, 6.25, 0, -3, 0, 0, 0, 5});
  expect_near(run([&](auto x, auto terms) {
                kernels::epsilon_insensitive<TypeParam>(TypeParam(), of_zeros, 0.5, 0, x, terms, {});
              }),
              {1.5, 0, 0, 0, 0, 0, 0, 0, 2.5, 0, -1, 0, 0, 0, 1});
}

TYPED_TEST(NumberLosses, SparseRowsAreCentredAsTheSameRowsDense) {
  const std::vector<std::uint64_t> begins{0, 2, 2, 3};
  const std::vector<std::uint32_t> columns{0, 2, 1};
  const std::vector<double> values{1.5, -2.0, 4.0}, centre{0.5, 1.0, -1.0};
  using Rows = kernels::SparseRows<TypeParam>;
  const auto on_device = [](const auto& from) {
    using T = typename std::decay_t<decltype(from)>::value_type;
    return Kokkos::create_mirror_view_and_copy(
        typename TypeParam::memory_space(),
        typename kernels::SparseRows<kernels::Host>::template Array<T>(from.data(), from.size()));
  };
  const Rows rows{on_device(begins), on_device(columns), on_device(values)};
  const auto out = kernels::make_matrix<TypeParam>(3, 3);
  kernels::put_centred<TypeParam>(TypeParam(), rows, 3, to_device<TypeParam>(centre), out);
  expect_near(to_host(out), {1.0, -1.0, -1.0, -0.5, -1.0, 1.0, -0.5, 3.0, 1.0});
}

}  // namespace
}  // namespace kernmill::testing
