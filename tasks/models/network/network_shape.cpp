#include "kernmill/tasks/models/network/network_shape.hpp"

#include "kernmill/storage/file/checked_size.hpp"
#include "kernmill/tasks/models/network/activate.hpp"
#include "kernmill/tasks/models/network/dense.hpp"
#include "kernmill/tasks/models/network/dropout.hpp"
#include "kernmill/tasks/models/network/layer_norm.hpp"
#include "kernmill/tasks/models/network/recurrent.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Activation;

template <class T>
using Layers = std::vector<std::unique_ptr<Layer<T>>>;

/// Behind the last of them, which it follows where that is a dense one, too.
template <class T>
void add(std::unique_ptr<Dense<T>> dense, Layers<T>& layers) {
  if (!layers.empty())
    if (auto* const before = dynamic_cast<Dense<T>*>(layers.back().get())) dense->follow(*before);
  layers.push_back(std::move(dense));
}

template <class T>
void add_dense(const NetworkShape& shape, std::size_t i, Layers<T>& layers) {
  const bool fuses = shape.fuses_activation();
  const std::uint64_t width = shape.widths[i + 1];
  add(std::make_unique<Dense<T>>(shape.widths[i], width, fuses ? shape.activation : Activation::identity, i,
                                 shape.multiply),
      layers);
  if (shape.layer_norm) layers.push_back(std::make_unique<LayerNorm<T>>(width, i));
  if (!fuses) layers.push_back(std::make_unique<Activate<T>>(width, shape.activation));
}

template <class T>
void add_recurrent(const NetworkShape& shape, std::size_t i, Layers<T>& layers) {
  layers.push_back(std::make_unique<Recurrent<T>>(shape.sequence(i), i, shape.multiply));
}

/// Of a layer without overflow: (inputs + others) * units.
std::optional<std::uint64_t> weights_of(std::uint64_t inputs, std::uint64_t others, std::uint64_t units) {
  return others > UINT64_MAX - inputs ? std::nullopt : storage::checked_product(inputs + others, units);
}

std::optional<std::uint64_t> parameters_of_layer(const NetworkShape& shape, std::size_t i) {
  const bool hidden = i + 2 < shape.widths.size();
  const std::uint64_t inputs = shape.widths[i], units = shape.widths[i + 1];
  if (!hidden || shape.cell == Cell::none)
    return weights_of(inputs, hidden && shape.layer_norm ? 3 : 1, units);
  const auto gates = storage::checked_product(units, gates_of(shape.cell));
  if (!gates || units == UINT64_MAX) return std::nullopt;
  return weights_of(i == 0 ? inputs / shape.steps : inputs, units + 1, *gates);
}

}  // namespace

std::optional<std::uint64_t> parameters_in(const NetworkShape& shape) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < shape.widths.size(); ++i) {
    const auto layer = parameters_of_layer(shape, i);
    if (!layer || *layer > UINT64_MAX - sum) return std::nullopt;
    sum += *layer;
  }
  return sum;
}

template <class T>
std::vector<std::unique_ptr<Layer<T>>> make_layers(const NetworkShape& shape) {
  Layers<T> layers;
  const std::size_t last = shape.widths.size() - 2;
  for (std::size_t i = 0; i < last; ++i) {
    if (shape.cell == Cell::none) {
      add_dense(shape, i, layers);
    } else {
      add_recurrent(shape, i, layers);
    }
    if (shape.dropout > 0)
      layers.push_back(std::make_unique<Dropout<T>>(layers.back()->outputs(), shape.dropout, i));
  }
  add(std::make_unique<Dense<T>>(shape.widths[last], shape.widths[last + 1], Activation::identity, last,
                                 shape.multiply),
      layers);
  return layers;
}

template std::vector<std::unique_ptr<Layer<double>>> make_layers(const NetworkShape& shape);
template std::vector<std::unique_ptr<Layer<float>>> make_layers(const NetworkShape& shape);

}  // namespace kernmill::tasks
