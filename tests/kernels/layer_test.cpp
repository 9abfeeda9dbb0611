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

// Whose slices are no multiples of the four units that share a draw.
TYPED_TEST(LayerKernels, DropoutOfASliceIsThatOfItsColumns) {
  const reference::Matrix x = random_matrix(n, width, 6);
  const auto whole = kernels::make_matrix<TypeParam>(n, width);
  kernels::drop<TypeParam>(TypeParam(), 0.4, {11, 12, 13}, to_device<TypeParam>(x), whole);
  const std::vector<double> expected = to_host(whole);
  for (std::size_t first = 0; first < width; ++first) {
    reference::Matrix slice(n, std::min<std::size_t>(3, width - first));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < slice.columns; ++j) slice(i, j) = x(i, first + j);
    const auto out = kernels::make_matrix<TypeParam>(n, slice.columns);
    kernels::drop<TypeParam>(TypeParam(), 0.4, {11, 12, 13, first}, to_device<TypeParam>(slice), out);
    const std::vector<double> found = to_host(out);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < slice.columns; ++j)
        EXPECT_EQ(found[i * slice.columns + j], expected[i * width + first + j]) << first;
  }
}

// One slice is a row: the same bits.
TYPED_TEST(LayerKernels, LayerNormInStepsIsThatInOne) {
  const TypeParam space;
  const auto x = to_device<TypeParam>(random_matrix(n, width, 3)),
             delta = to_device<TypeParam>(random_matrix(n, width, 8));
  const auto gain = to_device<TypeParam>(random_vector(width, 4)),
             shift = to_device<TypeParam>(random_vector(width, 5));
  const auto matrix = [](std::size_t columns) { return kernels::make_matrix<TypeParam>(n, columns); };
  const auto moments = matrix(2), steps_moments = matrix(2), y = matrix(width), steps_y = matrix(width);
  const auto sums = matrix(1), both = matrix(2), back = matrix(width), steps_back = matrix(width);
  kernels::layer_norm<TypeParam>(space, gain, shift, x, moments, y);
  kernels::row_sums<TypeParam>(space, x, sums);
  kernels::put_means<TypeParam>(space, sums, width, steps_moments);
  kernels::row_squares<TypeParam>(space, x, steps_moments, sums);
  kernels::put_inverse_deviations<TypeParam>(space, sums, width, steps_moments);
  kernels::normalise<TypeParam>(space, gain, shift, x, steps_moments, steps_y);
  EXPECT_EQ(to_host(steps_y), to_host(y));
  kernels::backward_layer_norm<TypeParam>(space, gain, x, moments, delta, back);
  kernels::norm_gradient_sums<TypeParam>(space, gain, x, moments, delta, both);
  kernels::backward_normalise<TypeParam>(space, gain, x, moments, delta, both, width, steps_back);
  EXPECT_EQ(to_host(steps_back), to_host(back));
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
