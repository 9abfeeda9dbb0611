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
    kernels::momentum_update<TypeParam>(TypeParam(), {0.1, 0.9}, {}, to_device<TypeParam>(gradient), v, w);
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
                                    {}, to_device<TypeParam>(gradient), m, s, w);
    reference::adam_update(0.01, step, gradient, mean, square, weights);
  }
  expect_near(to_host(w), weights);
}

/// Five steps of what reference_steps.py gives PyTorch: weights cos(i), gradients sin(i + 3 step).
template <class Space, class Step>
std::vector<double> after_five_steps(const Step& step) {
  std::vector<double> weights(4), gradient(4);
  for (std::size_t i = 0; i < 4; ++i) weights[i] = std::cos(static_cast<double>(i));
  const auto w = to_device<Space>(weights);
  for (int t = 0; t < 5; ++t) {
    for (std::size_t i = 0; i < 4; ++i) gradient[i] = std::sin(static_cast<double>(i) + 3.0 * t);
    step(t, to_device<Space>(gradient), w);
  }
  return to_host(w);
}

TYPED_TEST(Updates, NesterovsMomentumIsThatOfPyTorch) {
  const auto v = to_device<TypeParam>(std::vector<double>(4, 0.0));
  const auto found = after_five_steps<TypeParam>([&](int, const auto& gradient, const auto& weights) {
    kernels::momentum_update<TypeParam>(TypeParam(), {0.1, 0.9, true}, {}, gradient, v, weights);
  });
  expect_near(found, {1.028565680249581, 0.2976019853056521, -0.7069756024664209, -1.061563081715901});
}

TYPED_TEST(Updates, DecayedAdamIsPyTorchsAdamW) {
  const auto m = to_device<TypeParam>(std::vector<double>(4, 0.0));
  const auto s = to_device<TypeParam>(std::vector<double>(4, 0.0));
  const auto found = after_five_steps<TypeParam>([&](int t, const auto& gradient, const auto& weights) {
    kernels::Adam options{0.1};
    options.decay = 0.1 * 0.2;
    kernels::adam_update<TypeParam>(TypeParam(), options, 1 - std::pow(0.9, t + 1),
                                    1 - std::pow(0.999, t + 1), {}, gradient, m, s, weights);
  });
  expect_near(found, {0.8546562485574376, 0.34624991487841983, -0.5063064016120056, -0.9850364039777468});
}

}  // namespace
}  // namespace kernmill::testing
