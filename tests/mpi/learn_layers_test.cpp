#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "kernmill/kernels/dropout.hpp"
#include "kernmill/tasks/models/network/network.hpp"

// What networks are made of, against PyTorch (reference_layers.py) and against differences of their losses.
namespace kernmill::testing {
namespace {

using kernels::Activation;
using kernels::Device;
using tasks::Cell;
using tasks::NetworkOf;
using tasks::NetworkShape;

constexpr std::size_t rows = 6;

std::vector<double> numbers(std::size_t count, std::uint64_t salt, double scale = 0.8) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = (static_cast<double>((i * 7919 + salt * 104729) % 2003) - 1001) / 1001 * scale;
  return values;
}

template <class T>
kernels::Vector<Device, T> on_device(const std::vector<double>& values) {
  const std::vector<T> own(values.begin(), values.end());
  auto out = kernels::make_vector<Device, T>(own.size());
  Kokkos::deep_copy(out, kernels::host_vector(own.data(), own.size()));
  return out;
}

template <class View>
std::vector<double> on_host(const View& view) {
  const auto copy = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {copy.data(), copy.data() + copy.size()};
}

template <class T>
struct Data {
  kernels::Vector<Device, T> features = on_device<T>(numbers(rows * 8, 2, 1.5)),
                             targets = on_device<T>(numbers(rows * 2, 3, 1.5));
  [[nodiscard]] tasks::BatchOf<T> batch() const {
    tasks::BatchOf<T> all;
    all.features = kernels::matrix_of<Device, T>(features, 0, rows, 8);
    all.numbers = kernels::matrix_of<Device, T>(targets, 0, rows, 2);
    return all;
  }
};

struct Sums {
  double loss = 0;
  std::vector<double> gradient;
};

/// Of rows [first, end), pieces by the cuts.
template <class T>
Sums sums_of(const NetworkShape& shape, const std::vector<double>& parameters,
             const std::vector<std::size_t>& cuts, tasks::Pass pass = {}, std::size_t first = 0) {
  NetworkOf<T> network(shape);
  const Data<T> data;
  const auto gradient = kernels::make_vector<Device, T>(network.parameter_count());
  const std::array gradients{gradient};
  const auto losses = kernels::make_matrix<Device>(cuts.size() - 1, network.losses_length());
  network.fold_gradients(on_device<T>(parameters), part_of(data.batch(), first, cuts.back()), {cuts, 0}, pass,
                         gradients, losses);
  Sums sums{0, on_host(gradient)};
  for (const double loss : on_host(losses)) sums.loss += loss;
  return sums;
}

NetworkShape recurrent(Cell cell, std::size_t layers) {
  NetworkShape shape;
  shape.widths = layers == 1 ? std::vector<std::uint64_t>{8, 3, 2} : std::vector<std::uint64_t>{8, 3, 3, 2};
  shape.cell = cell;
  shape.steps = 4;
  shape.loss = tasks::Loss::squared_error;
  return shape;
}

NetworkShape dense(Activation activation, bool layer_norm = false, double huber_delta = 0) {
  NetworkShape shape;
  shape.widths = {8, 5, 2};
  shape.activation = activation;
  shape.layer_norm = layer_norm;
  shape.loss = tasks::Loss(tasks::Loss::squared_error, huber_delta);
  return shape;
}

std::vector<double> some_parameters(const NetworkShape& shape) {
  return numbers(tasks::Network(shape).parameter_count(), 1);
}

struct Case {
  std::string name;
  NetworkShape shape;
  std::vector<double> outputs;           ///< PyTorch's
  double loss, weighed, squares, after;  ///< so are these
};

class Layers : public ::testing::TestWithParam<Case> {};

TEST_P(Layers, GiveTheOutputsOfPyTorch) {
  tasks::Network network(GetParam().shape);
  const Data<double> data;
  const auto outputs =
      on_host(network.forward(on_device<double>(some_parameters(GetParam().shape)), data.batch()));
  ASSERT_EQ(outputs.size(), GetParam().outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_NEAR(outputs[i], GetParam().outputs[i], 1e-12) << i;
}

TEST_P(Layers, TakeAStepAsPyTorchDoes) {
  std::vector<double> parameters = some_parameters(GetParam().shape);
  const Sums sums = sums_of<double>(GetParam().shape, parameters, {0, rows});
  EXPECT_NEAR(sums.loss, GetParam().loss, 1e-11);
  const auto weights = numbers(parameters.size(), 5);
  double weighed = 0, squares = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    weighed += weights[i] * sums.gradient[i];
    squares += sums.gradient[i] * sums.gradient[i];
    parameters[i] -= 0.01 * sums.gradient[i];
  }
  EXPECT_NEAR(weighed, GetParam().weighed, 1e-10);
  EXPECT_NEAR(squares, GetParam().squares, 1e-9);
  EXPECT_NEAR(sums_of<double>(GetParam().shape, parameters, {0, rows}).loss, GetParam().after, 1e-10);
}

void expect_slopes(const NetworkShape& shape, tasks::Pass pass) {
  constexpr double step = 1e-6;
  std::vector<double> parameters = some_parameters(shape);
  const std::vector<double> gradient = sums_of<double>(shape, parameters, {0, 2, rows}, pass).gradient;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double at = parameters[i];
    parameters[i] = at + step;
    const double above = sums_of<double>(shape, parameters, {0, 2, rows}, pass).loss;
    parameters[i] = at - step;
    const double below = sums_of<double>(shape, parameters, {0, 2, rows}, pass).loss;
    parameters[i] = at;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * step), 2e-7 * (1 + std::abs(gradient[i]))) << i;
  }
}

TEST_P(Layers, GiveTheSlopesOfTheirLoss) {
  expect_slopes(GetParam().shape, {});
}

TEST_P(Layers, GiveTheSlopesOfTheirLossWhereUnitsAreDropped) {
  NetworkShape shape = GetParam().shape;
  shape.dropout = 0.3;
  expect_slopes(shape, {true, 7, 11, 0});
}

/// A piece has its bits whether it comes alone or with others.
template <class T>
void expect_pieces_to_add_up(NetworkShape shape) {
  shape.dropout = 0.25;
  const auto parameters = some_parameters(shape);
  const Sums both = sums_of<T>(shape, parameters, {0, 4, 6}, {true, 7, 3, 100});
  const Sums first = sums_of<T>(shape, parameters, {0, 4}, {true, 7, 3, 100});
  const Sums second = sums_of<T>(shape, parameters, {0, 2}, {true, 7, 3, 104}, 4);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    EXPECT_EQ(both.gradient[i], static_cast<double>(static_cast<T>(first.gradient[i] + second.gradient[i])))
        << i;
}

TEST_P(Layers, GivePiecesOfRowsTheSameBitsAloneAndTogether) {
  expect_pieces_to_add_up<double>(GetParam().shape);
  expect_pieces_to_add_up<float>(GetParam().shape);
}

TEST_P(Layers, DoInSinglePrecisionWhatTheyDoInDouble) {
  const auto parameters = some_parameters(GetParam().shape);
  const Sums single = sums_of<float>(GetParam().shape, parameters, {0, rows});
  const Sums twice = sums_of<double>(GetParam().shape, parameters, {0, rows});
  EXPECT_NEAR(single.loss, twice.loss, 1e-5 * twice.loss);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    EXPECT_NEAR(single.gradient[i], twice.gradient[i], 2e-5) << i;
}

INSTANTIATE_TEST_SUITE_P(
    All, Layers,
    ::testing::Values(Case{"lstm",
                           recurrent(Cell::lstm, 1),
                           {-0.018375539762322, -0.04948629534231, 0.062359898396014, 0.014722362969964,
                            -0.020640220952076, -0.056674221745249, 0.0051916425653997, -0.026197399381345,
                            0.051321597583804, 0.0023062955383557, -0.031342032260545, -0.063915967900278},
                           3.9523187342284,
                           -1.6133233555321,
                           37.946820943005,
                           3.6006229186759},
                      Case{"two_layers_of_lstm",
                           recurrent(Cell::lstm, 2),
                           {0.36891987985878, 0.15426888739226, 0.360971949284, 0.13545798491947,
                            0.36020317479068, 0.11616214014798, 0.37227675240458, 0.17035344527216,
                            0.35251323008667, 0.089260203539559, 0.36425050904816, 0.13357009007236},
                           2.7303840891548,
                           -0.8042729520182,
                           2.1044745167289,
                           2.7108331085261},
                      Case{"gru",
                           recurrent(Cell::gru, 1),
                           {0.35802956535908, 0.21508118757054, 0.18832992803133, 0.043432690172085,
                            0.45623453069933, 0.26435570759746, 0.28542449750089, 0.17014405138298,
                            0.38301602556596, 0.18836353250385, 0.43099195296763, 0.25651267628254},
                           3.1903270658564,
                           0.64686546738363,
                           1.9365927821736,
                           3.1713489697042},
                      Case{"two_layers_of_gru",
                           recurrent(Cell::gru, 2),
                           {0.75921538497013, 0.57275947197423, 0.75933650785964, 0.5686110565293,
                            0.60254024260848, 0.43183783654096, 0.81072701523589, 0.62186874187502,
                            0.56815508743034, 0.40022060268581, 0.66936216259009, 0.4912173055424},
                           3.4265873292689,
                           5.8484713022887,
                           78.10646380317,
                           2.7799158247777},
                      Case{"gelu",
                           dense(Activation::gelu),
                           {0.414681245294, 0.24560101093907, 1.6225117334178, 0.97903149705184,
                            0.5034464904771, 0.35454170073702, 0.38427104075029, 0.19125882154182,
                            -1.3353113599655, -1.9720261590102, 0.44128670109739, 0.2897009650101},
                           7.7604979196504,
                           19.779320072719,
                           757.86977568131,
                           2.8524479063124},
                      Case{"layer_norm_and_relu",
                           dense(Activation::relu, true),
                           {-0.42923513242398, -0.77115099277194, 0.19824409607713, -0.11240952400391,
                            0.30743507352255, 0.015429906132185, -0.51822835468743, -0.84246456400586,
                            -0.4326159030875, -0.75535544590566, 0.15622156091564, -0.15942208667996},
                           8.5752784508805,
                           5.6589120804626,
                           557.17341193446,
                           4.3502175994337},
                      Case{"layer_norm_gelu_and_huber",
                           dense(Activation::gelu, true, 0.5),
                           {-0.48923517003851, -0.78235277961729, 0.12210780756124, -0.1456684073329,
                            0.26099997273038, 0.0049077296798735, -0.54644309330833, -0.83618488188182,
                            -0.42466055426121, -0.70649933237154, 0.10400918238396, -0.16260329252362},
                           5.8832612673499,
                           1.9891440395508,
                           111.6857912121,
                           4.8259627440644}),
    [](const auto& each) { return each.param.name; });

/// Of an identity layer with one input each: what comes out is what was not dropped.
TEST(Dropout, DropsItsShareOfTheUnitsAndScalesTheOthersUp) {
  constexpr std::size_t n = 500, width = 30;
  const auto ones = kernels::make_matrix<Device>(n, width), out = kernels::make_matrix<Device>(n, width);
  Kokkos::deep_copy(ones, 1.0);
  kernels::drop<Device>(Device(), 0.2, {5, 6, 0}, ones, out);
  const auto values = on_host(out);
  const auto dropped = std::count(values.begin(), values.end(), 0.0);
  EXPECT_NEAR(static_cast<double>(dropped) / (n * width), 0.2, 0.01);
  EXPECT_EQ(std::count(values.begin(), values.end(), 1.25), static_cast<std::ptrdiff_t>(n * width) - dropped);
  const auto later = kernels::make_matrix<Device>(n - 3, width);
  kernels::drop<Device>(Device(), 0.2, {5, 6, 3}, kernels::rows_of<Device>(ones, 3, n - 3), later);
  EXPECT_EQ(on_host(later), std::vector<double>(values.begin() + 3 * width, values.end()));
  kernels::drop<Device>(Device(), 0.2, {5, 7, 0}, ones, out);
  EXPECT_NE(on_host(out), values);
}

}  // namespace
}  // namespace kernmill::testing
