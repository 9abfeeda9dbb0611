#include "kernmill/tasks/models/network/network.hpp"

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

}  // namespace

Batch part_of(const Batch& batch, std::size_t first, std::size_t count) {
  Batch part;
  if (batch.is_sparse()) part.sparse = kernels::rows_of(batch.sparse, first, count);
  if (batch.is_compact()) part.compact = kernels::rows_of(batch.compact, first, count);
  part.gradient_inputs = batch.gradient_inputs;
  if (batch.features.data() != nullptr)
    part.features = kernels::rows_of<Device>(batch.features, first, count);
  if (batch.labels.data() != nullptr)
    part.labels = kernels::Labels<Device>(batch.labels.data() + first, count);
  if (batch.numbers.data() != nullptr) part.numbers = kernels::rows_of<Device>(batch.numbers, first, count);
  return part;
}

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

void Network::weigh_classes(const std::vector<double>& weights) {
  class_weights_ = kernels::make_vector<Device>(weights.size());
  Kokkos::deep_copy(class_weights_, kernels::host_vector(weights.data(), weights.size()));
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

Network::Matrix Network::forward(const Vector& parameters, const Batch& batch) {
  const Device space;
  const std::size_t rows = batch.rows();
  reserve(rows);
  Matrix input = batch.features;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const Matrix weights = kernels::matrix_of<Device>(parameters, layer.weights, layer.inputs, layer.outputs);
    const Matrix z = activated(i, rows);
    if (i == 0 && batch.is_sparse()) {
      kernels::multiply<Device>(space, batch.sparse, weights, z);
    } else {
      kernels::gemm<Device>(space, Transpose::no, Transpose::no, 1.0, input, weights, 0.0, z);
    }
    const bool last = i + 1 == layers_.size();
    kernels::add_bias_and_activate<Device>(space, last ? Activation::identity : shape_.activation,
                                           kernels::part_of<Device>(parameters, layer.bias, layer.outputs),
                                           z);
    input = z;
  }
  return input;
}

void Network::add_input_gradient(const Batch& chunk, const Matrix& delta, const Vector& gradient) {
  const Device space;
  const Layer& layer = layers_.front();
  const std::size_t inputs = chunk.is_compact() ? chunk.gradient_inputs : layer.inputs;
  const Matrix out = kernels::matrix_of<Device>(gradient, 0, inputs, layer.outputs);
  if (chunk.is_sparse()) {
    const auto& rows = chunk.is_compact() ? chunk.compact : chunk.sparse;
    kernels::add_transposed_product<Device>(space, rows, delta, out);
  } else {
    kernels::gemm<Device>(space, Transpose::yes, Transpose::no, 1.0, chunk.features, delta, 1.0, out);
  }
}

void Network::backward(const Vector& parameters, const Batch& chunk, const Vector& gradient) {
  const Device space;
  const std::size_t rows = chunk.rows();
  const std::size_t left_out =
      chunk.is_compact() ? sums_length() - sums_length(chunk.gradient_inputs) : std::size_t{0};
  Matrix delta = activated(layers_.size() - 1, rows);  // the loss left its gradient here
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Layer& layer = layers_[i];
    if (i == 0) {
      add_input_gradient(chunk, delta, gradient);
    } else {
      kernels::gemm<Device>(
          space, Transpose::yes, Transpose::no, 1.0, activated(i - 1, rows), delta, 1.0,
          kernels::matrix_of<Device>(gradient, layer.weights - left_out, layer.inputs, layer.outputs));
    }
    kernels::column_sums<Device>(space, delta, bias_sums_[i]);
    kernels::add<Device>(space, bias_sums_[i],
                         kernels::part_of<Device>(gradient, layer.bias - left_out, layer.outputs));
    if (i == 0) break;
    const Matrix weights = kernels::matrix_of<Device>(parameters, layer.weights, layer.inputs, layer.outputs);
    const Matrix next = kernels::rows_of<Device>(gradients_[i - 1], 0, rows);
    kernels::gemm<Device>(space, Transpose::no, Transpose::yes, 1.0, delta, weights, 0.0, next);
    kernels::backward_activation<Device>(space, shape_.activation, activated(i - 1, rows), next);
    delta = next;
  }
}

void Network::add_chunk_losses(const Vector& parameters, const Batch& chunk, const Vector& out) {
  const Device space;
  const Matrix z = forward(parameters, chunk);
  const Matrix terms = kernels::rows_of<Device>(terms_, 0, z.extent(0));
  apply_loss(shape_.loss, {chunk.labels, chunk.numbers}, z, terms);
  if (class_weights_.extent(0) > 0)
    kernels::weigh_rows<Device>(space, class_weights_, chunk.labels, z, terms);
  kernels::column_sums<Device>(space, terms, term_sums_);
  kernels::add<Device>(space, term_sums_, out);
}

void Network::sums(const Vector& parameters, const Batch& batch, const Vector& out) {
  Kokkos::deep_copy(Device(), out, 0.0);
  add_sums(parameters, batch, out);
}

void Network::add_sums(const Vector& parameters, const Batch& batch, const Vector& out) {
  const std::size_t rows = batch.rows(), gradient = out.extent(0) - losses_length();
  for (std::size_t first = 0; first < rows; first += chunk_rows) {
    const Batch chunk = part_of(batch, first, std::min(chunk_rows, rows - first));
    add_chunk_losses(parameters, chunk, kernels::part_of<Device>(out, gradient, losses_length()));
    backward(parameters, chunk, kernels::part_of<Device>(out, 0, gradient));
  }
}

void Network::add_losses(const Vector& parameters, const Batch& batch, const Vector& out) {
  const std::size_t rows = batch.rows();
  for (std::size_t first = 0; first < rows; first += chunk_rows)
    add_chunk_losses(parameters, part_of(batch, first, std::min(chunk_rows, rows - first)), out);
}

}  // namespace kernmill::tasks
