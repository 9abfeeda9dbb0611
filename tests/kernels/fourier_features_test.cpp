#include "kernmill/kernels/fourier_features.hpp"

#include <cmath>

#include "device_test.hpp"
#include "kernmill/reference/kernel_functions.hpp"

namespace kernmill::testing {
namespace {

template <class Space>
class FourierFeatures : public ::testing::Test {
 protected:
  static reference::Matrix frequencies(std::size_t d, std::size_t m, double gamma, std::uint64_t seed) {
    const auto drawn = kernels::make_matrix<Space>(d, m);
    kernels::draw_frequencies<Space>(Space(), seed, gamma, drawn);
    reference::Matrix out(d, m);
    out.values = to_host(drawn);
    return out;
  }
  static reference::Matrix features(const reference::Matrix& x, const reference::Matrix& frequencies) {
    const auto products = kernels::make_matrix<Space>(x.rows, frequencies.columns);
    kernels::gemm<Space>(Space(), kernels::Transpose::no, kernels::Transpose::no, 1.0, to_device<Space>(x),
                         to_device<Space>(frequencies), 0.0, products);
    const auto z = kernels::make_matrix<Space>(x.rows, 2 * frequencies.columns + 1);
    kernels::fourier_features<Space>(Space(), products, z);
    reference::Matrix out(x.rows, z.extent(1));
    out.values = to_host(z);
    return out;
  }
};
TYPED_TEST_SUITE(FourierFeatures, Devices);

TYPED_TEST(FourierFeatures, AgreeWithTheReference) {
  const auto x = random_matrix(17, 5, 1);
  const auto w = this->frequencies(5, 30, 0.3, 7);
  expect_near(this->features(x, w).values, reference::fourier_features(x, w).values);
}

TYPED_TEST(FourierFeatures, HaveNormalFrequenciesOfTheVarianceThatGammaSays) {
  const auto w = this->frequencies(100, 200, 0.4, 3);
  double mean = 0, square = 0, fourth = 0;
  for (const double value : w.values) {
    mean += value / 20'000;
    square += value * value / 20'000;
    fourth += value * value * value * value / 20'000;
  }
  EXPECT_NEAR(mean, 0, 0.03);
  EXPECT_NEAR(square, 0.8, 0.03);
  EXPECT_NEAR(fourth / (square * square), 3, 0.15);  // the kurtosis of a normal distribution
}

// Hoeffding: |error| >= e with a probability of at most 2 exp(-m e^2 / 2) for each of 40 * 39 / 2 pairs of
// rows. With 1e-6 left for all of them together, e = sqrt(2 / m * log(2 * 780 / 1e-6)).
TYPED_TEST(FourierFeatures, ApproximateTheKernelAsWellAsTheTheorySays) {
  const auto x = random_matrix(40, 6, 2);
  const auto exact = reference::rbf_kernel(x, x, 0.1);
  for (const std::size_t m : {100U, 1000U, 10'000U}) {
    const auto z = this->features(x, this->frequencies(6, m, 0.1, 11));
    const double bound = std::sqrt(2.0 / static_cast<double>(m) * std::log(2 * 780 / 1e-6));
    double worst = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_NEAR(reference::dot_of_rows(z, i, z, i) - 1, 1, 1e-12);  // the constant adds a 1
      for (std::size_t j = 0; j < i; ++j)
        worst = std::max(worst, std::abs(reference::dot_of_rows(z, i, z, j) - 1 - exact.values[i * 40 + j]));
    }
    EXPECT_LT(worst, bound) << m;
  }
}

}  // namespace
}  // namespace kernmill::testing
