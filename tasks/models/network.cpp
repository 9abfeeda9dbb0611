#include "kernmill/tasks/models/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernmill/kernels/loss.hpp"
#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Activation;
using kernels::Device;
using kernels::Transpose;

// Rows that go through the network together: fixed, so that the shapes of the products are.
constexpr std::size_t chunk_rows = 4096;

}  // namespace

Network::Network(NetworkShape shape) : shape_(std::move(shape)) {
  for (std::size_t i = 0; i + 1 < shape_.widths.size(); ++i) {
    Layer layer{shape_.widths[i], shape_.widths[i + 1], parameter_count_, 0};
    layer.bias = layer.weights + layer.inputs * layer.outputs;
    parameter_count_ = layer.bias + layer.outputs;
    layers_.push_back(layer);
    bias_sums_.push_back(kernels::make_vector<Device>(layer.outputs));
  }
  term_sums_ = kernels::make_vector<Device>(loss_parts() + 1);
  activated_.resize(layers_.size());
  gradients_.resize(layers_.size());
}

std::vector<double> Network::glorot(std::uint64_t seed) const {
  std::vector<double> parameters(parameter_count_, 0.0);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const double bound = std::sqrt(6.0 / static_cast<double>(layer.inputs + layer.outputs));
    kernels::fill_uniform<kernels::Host>(
        kernels::Host(), seed, i, bound,
        kernels::host_vector(parameters.data() + layer.weights, layer.inputs * layer.outputs));
  }
  kernels::Host().fence();
  return parameters;
}

void Network::reserve(std::size_t rows) {
  if (terms_.extent(0) >= rows) return;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    activated_[i] = kernels::make_matrix<Device>(rows, layers_[i].outputs);
    gradients_[i] = kernels::make_matrix<Device>(rows, layers_[i].outputs);
  }
  terms_ = kernels::make_matrix<Device>(rows, loss_parts() + 1);
}

Network::Matrix Network::activated(std::size_t layer, std::size_t rows) const {
  return kernels::rows_of<Device>(activated_[layer], 0, rows);
}

Network::Matrix Network::forward(const Vector& parameters, const Matrix& features) {
  const Device space;
  const std::size_t rows = features.extent(0);
  reserve(rows);
  Matrix input = features;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const Matrix weights = kernels::matrix_of<Device>(parameters, layer.weights, layer.inputs, layer.outputs);
    const Matrix z = activated(i, rows);
    kernels::gemm<Device>(space, Transpose::no, Transpose::no, 1.0, input, weights, 0.0, z);
    const bool last = i + 1 == layers_.size();
    kernels::add_bias_and_activate<Device>(space, last ? Activation::identity : shape_.activation,
                                           kernels::part_of<Device>(parameters, layer.bias, layer.outputs),
                                           z);
    input = z;
  }
  return input;
}

void Network::backward(const Vector& parameters, const Matrix& features, const Vector& gradient) {
  const Device space;
  const std::size_t rows = features.extent(0);
  Matrix delta = activated(layers_.size() - 1, rows);  // the loss left its gradient here
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    const Matrix input = i == 0 ? features : activated(i - 1, rows);
    kernels::gemm<Device>(space, Transpose::yes, Transpose::no, 1.0, input, delta, 1.0,
                          kernels::matrix_of<Device>(gradient, layer.weights, layer.inputs, layer.outputs));
    kernels::column_sums<Device>(space, delta, bias_sums_[i]);
    kernels::add<Device>(space, bias_sums_[i], kernels::part_of<Device>(gradient, layer.bias, layer.outputs));
    if (i == 0) break;
    const Matrix weights = kernels::matrix_of<Device>(parameters, layer.weights, layer.inputs, layer.outputs);
    const Matrix next = kernels::rows_of<Device>(gradients_[i - 1], 0, rows);
    kernels::gemm<Device>(space, Transpose::no, Transpose::yes, 1.0, delta, weights, 0.0, next);
    kernels::backward_activation<Device>(space, shape_.activation, input, next);
    delta = next;
  }
}

void Network::chunk_sums(const Vector& parameters, const Batch& chunk, const Vector& out) {
  const Device space;
  const Matrix z = forward(parameters, chunk.features);
  const Matrix terms = kernels::rows_of<Device>(terms_, 0, z.extent(0));
  if (shape_.loss == Loss::cross_entropy) {
    kernels::cross_entropy<Device>(space, chunk.labels, z, terms);
  } else if (shape_.loss == Loss::squared_hinge) {
    kernels::squared_hinge<Device>(space, chunk.labels, z, terms);
  } else {
    kernels::squared_error<Device>(space, chunk.numbers, z, terms);
  }
  kernels::column_sums<Device>(space, terms, term_sums_);
  kernels::add<Device>(space, term_sums_, kernels::part_of<Device>(out, parameter_count_, loss_parts() + 1));
  backward(parameters, chunk.features, kernels::part_of<Device>(out, 0, parameter_count_));
}

void Network::sums(const Vector& parameters, const Batch& batch, const Vector& out) {
  Kokkos::deep_copy(Device(), out, 0.0);
  const std::size_t rows = batch.features.extent(0);
  for (std::size_t first = 0; first < rows; first += chunk_rows) {
    const std::size_t count = std::min(chunk_rows, rows - first);
    Batch chunk{kernels::rows_of<Device>(batch.features, first, count), {}, {}};
    if (shape_.loss == Loss::squared_error) {
      chunk.numbers = kernels::rows_of<Device>(batch.numbers, first, count);
    } else {
      chunk.labels = kernels::Labels<Device>(batch.labels.data() + first, count);
    }
    chunk_sums(parameters, chunk, out);
  }
}

}  // namespace kernmill::tasks
