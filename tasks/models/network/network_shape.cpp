#include "kernmill/tasks/models/network/network_shape.hpp"

#include "kernmill/tasks/models/network/dense.hpp"

namespace kernmill::tasks {

template <class T>
std::vector<std::unique_ptr<Layer<T>>> make_layers(const NetworkShape& shape) {
  std::vector<std::unique_ptr<Layer<T>>> layers;
  const std::size_t count = shape.widths.size() - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const bool last = i + 1 == count;
    layers.push_back(std::make_unique<Dense<T>>(shape.widths[i], shape.widths[i + 1],
                                                last ? kernels::Activation::identity : shape.activation, i));
  }
  return layers;
}

template std::vector<std::unique_ptr<Layer<double>>> make_layers(const NetworkShape& shape);
template std::vector<std::unique_ptr<Layer<float>>> make_layers(const NetworkShape& shape);

}  // namespace kernmill::tasks
