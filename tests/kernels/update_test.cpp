#include "device_test.hpp"
#include "kernmill/kernels/activation.hpp"
#include "kernmill/kernels/optimizer.hpp"
#include "kernmill/reference/updates.hpp"

namespace kernmill::testing {
namespace {

template <class Space>
class Updates : public ::testing::Test {};
TYPED_TEST_SUITE(Updates, Devices);

constexpr std::pair<kernels::Activation, reference::Activation> activations[] = {
    {kernels::Activation::identity, reference::Activation::identity},
    {kernels::Activation::relu, reference::Activation::relu},
    {kernels::Activation::tanh, reference::Activation::tanh}};

TYPED_TEST(Updates, BiasAndActivationAgreeWithTheReference) {
  const auto z = random_matrix(9, 6, 1);
  const auto bias = random_vector(6, 2);
  for (const auto& [kernel, plain] : activations) {
    const auto out = to_device<TypeParam>(z);
    kernels::add_bias_and_activate<TypeParam>(TypeParam(), kernel, to_device<TypeParam>(bias), out);
    expect_near(to_host(out), reference::add_bias_and_activate(plain, bias, z).values);
  }
}

TYPED_TEST(Updates, ActivationGradientsAreTheDerivatives) {
  constexpr double step = 1e-6;
  const auto z = random_matrix(9, 6, 1);
  const std::vector<double> none(6, 0.0);
  for (const auto& [kernel, plain] : activations) {
    reference::Matrix ones(9, 6);
    std::fill(ones.values.begin(), ones.values.end(), 1.0);
    const auto gradient = to_device<TypeParam>(ones);
    const auto activated = reference::add_bias_and_activate(plain, none, z);
    kernels::backward_activation<TypeParam>(TypeParam(), kernel, to_device<TypeParam>(activated), gradient);
    std::vector<double> expected;
    for (const double x : z.values) {
      expected.push_back((reference::activate(plain, x + step) - reference::activate(plain, x - step)) /
                         (2 * step));
    }
    expect_near(to_host(gradient), expected, 1e-8);
  }
}

TYPED_TEST(Updates, AWrongNumberIsNotHiddenByRelu) {
  reference::Matrix z(1, 1);
  z(0, 0) = std::nan("");
  const auto out = to_device<TypeParam>(z);
  kernels::add_bias_and_activate<TypeParam>(TypeParam(), kernels::Activation::relu,
                                            to_device<TypeParam>(std::vector<double>{0.0}), out);
  EXPECT_TRUE(std::isnan(to_host(out)[0]));
}

TYPED_TEST(Updates, MomentumAgreesWithTheReferenceOverSteps) {
  std::vector<double> weights = random_vector(50, 1), velocity(50, 0.0);
  const auto w = to_device<TypeParam>(weights), v = to_device<TypeParam>(velocity);
  for (std::uint64_t step = 0; step < 5; ++step) {
    const auto gradient = random_vector(50, 10 + step);
    kernels::momentum_update<TypeParam>(TypeParam(), {0.1, 0.9}, to_device<TypeParam>(gradient), v, w);
    reference::momentum_update(0.1, 0.9, gradient, velocity, weights);
  }
  expect_near(to_host(w), weights);
}

TYPED_TEST(Updates, AdamAgreesWithTheReferenceOverSteps) {
  std::vector<double> weights = random_vector(50, 1), mean(50, 0.0), square(50, 0.0);
  const auto w = to_device<TypeParam>(weights), m = to_device<TypeParam>(mean),
             s = to_device<TypeParam>(square);
  for (int step = 1; step <= 5; ++step) {
    const auto gradient = random_vector(50, 10 + static_cast<std::uint64_t>(step));
    kernels::adam_update<TypeParam>(TypeParam(), {0.01}, 1 - std::pow(0.9, step), 1 - std::pow(0.999, step),
                                    to_device<TypeParam>(gradient), m, s, w);
    reference::adam_update(0.01, step, gradient, mean, square, weights);
  }
  expect_near(to_host(w), weights);
}

}  // namespace
}  // namespace kernmill::testing
