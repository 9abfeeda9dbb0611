#include <cmath>

#include "device_test.hpp"
#include "kernmill/kernels/activation.hpp"
#include "kernmill/kernels/dropout.hpp"
#include "kernmill/kernels/layer_norm.hpp"
#include "kernmill/kernels/recurrent.hpp"
#include "kernmill/reference/layers.hpp"

namespace kernmill::testing {
namespace {

constexpr std::size_t n = 9, width = 7, steps = 3, hidden = 4;

template <class Space>
class LayerKernels : public ::testing::Test {};
TYPED_TEST_SUITE(LayerKernels, Devices);

TYPED_TEST(LayerKernels, GeluAgreesWithTheReference) {
  const reference::Matrix z = random_matrix(n, width, 1), delta = random_matrix(n, width, 2);
  const auto out = kernels::make_matrix<TypeParam>(n, width);
  kernels::activate<TypeParam>(TypeParam(), kernels::Activation::gelu, to_device<TypeParam>(z), out);
  expect_near(to_host(out), reference::gelu(z).values);
  kernels::backward_activate<TypeParam>(TypeParam(), kernels::Activation::gelu, to_device<TypeParam>(z),
                                        to_device<TypeParam>(delta), out);
  expect_near(to_host(out), reference::backward_gelu(z, delta).values);
}

TYPED_TEST(LayerKernels, LayerNormAgreesWithTheReference) {
  const reference::Matrix x = random_matrix(n, width, 3);
  const std::vector<double> gain = random_vector(width, 4), shift = random_vector(width, 5);
  const auto moments = kernels::make_matrix<TypeParam>(n, 2), y = kernels::make_matrix<TypeParam>(n, width);
  kernels::layer_norm<TypeParam>(TypeParam(), to_device<TypeParam>(gain), to_device<TypeParam>(shift),
                                 to_device<TypeParam>(x), moments, y);
  expect_near(to_host(y), reference::layer_norm(x, gain, shift).values);
}

TYPED_TEST(LayerKernels, DropoutAgreesWithTheReference) {
  const reference::Matrix x = random_matrix(n, width, 6);
  const auto out = kernels::make_matrix<TypeParam>(n, width);
  kernels::drop<TypeParam>(TypeParam(), 0.4, {11, 12, 13}, to_device<TypeParam>(x), out);
  expect_near(to_host(out), reference::drop(x, 0.4, 11, 12, 13).values);
}

/// Runs a cell over all steps, where the state gives nothing to the gates but what `recurrent` says.
template <class Space, class Step>
std::vector<double> last_state(std::size_t gates, const Step& step) {
  kernels::CellMemory<Space> memory{steps, to_device<Space>(random_matrix(n * steps, gates * hidden, 7)),
                                    kernels::make_matrix<Space>(n * steps, hidden),
                                    kernels::make_matrix<Space>(n * steps, hidden)};
  const auto state = kernels::make_matrix<Space>(n, hidden);
  for (std::size_t t = 0; t < steps; ++t)
    step(t, to_device<Space>(random_matrix(n, gates * hidden, 8 + t)), memory,
         kernels::StateOut<Space>{state, {}, 0});
  return to_host(state);
}

std::vector<reference::Matrix> shares(std::size_t gates) {
  std::vector<reference::Matrix> all;
  for (std::size_t t = 0; t < steps; ++t) all.push_back(random_matrix(n, gates * hidden, 8 + t));
  return all;
}

TYPED_TEST(LayerKernels, StepsOfAnLstmAgreeWithTheReference) {
  const auto state =
      last_state<TypeParam>(4, [](std::size_t t, const auto& recurrent, const auto& memory, const auto& out) {
        kernels::lstm_step<TypeParam>(TypeParam(), t, recurrent, memory, out);
      });
  expect_near(state, reference::lstm(random_matrix(n * steps, 4 * hidden, 7), shares(4)).values);
}

TYPED_TEST(LayerKernels, StepsOfAGruAgreeWithTheReference) {
  const auto state =
      last_state<TypeParam>(3, [](std::size_t t, const auto& recurrent, const auto& memory, const auto& out) {
        kernels::gru_step<TypeParam>(TypeParam(), t, recurrent, memory, out);
      });
  expect_near(state, reference::gru(random_matrix(n * steps, 3 * hidden, 7), shares(3)).values);
}

}  // namespace
}  // namespace kernmill::testing
