#include "kernmill/tasks/models/network/layer_norm.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/kernels/layer_norm.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
std::vector<ParameterTensor> LayerNorm<T>::tensors() const {
  return {{fmt::format("layer_{}_gain", number_), {this->outputs()}, 0, false},
          {fmt::format("layer_{}_shift", number_), {this->outputs()}, this->outputs(), false}};
}

template <class T>
void LayerNorm<T>::start(std::uint64_t, std::uint64_t, std::span<double> parameters) const {
  std::fill_n(parameters.begin(), this->outputs(), 1.0);
  std::fill(parameters.begin() + static_cast<std::ptrdiff_t>(this->outputs()), parameters.end(), 0.0);
}

template <class T>
void LayerNorm<T>::forward(const Vector& parameters, const BatchOf<T>& input, Cuts, const Pass&,
                           const Matrix& output) {
  const std::size_t rows = input.rows(), width = this->outputs();
  if (moments_.extent(0) < rows) moments_ = kernels::make_matrix<Device, T>(rows, 2);
  kernels::layer_norm<Device, T>(Device(), kernels::part_of<Device, T>(parameters, 0, width),
                                 kernels::part_of<Device, T>(parameters, width, width), input.features,
                                 moments_, output);
}

template <class T>
void LayerNorm<T>::backward(const Vector& parameters, const BatchOf<T>& input, const Matrix&, Cuts,
                            const Matrix& delta, const Matrix& input_delta) {
  if (input_delta.data() != nullptr)
    kernels::backward_layer_norm<Device, T>(Device(),
                                            kernels::part_of<Device, T>(parameters, 0, this->outputs()),
                                            input.features, moments_, delta, input_delta);
}

template <class T>
std::vector<GradientPart> LayerNorm<T>::parts(const BatchOf<T>&) const {
  return {{0, 2 * this->outputs()}};
}

template <class T>
void LayerNorm<T>::add_gradient(const GradientPart&, const BatchOf<T>& input, const Matrix& delta,
                                std::size_t first, std::size_t count, const Vector& gradient) {
  const auto rows = [&](const Matrix& all) { return kernels::rows_of<Device, T>(all, first, count); };
  kernels::add_layer_norm_gradient<Device, T>(Device(), rows(input.features), rows(moments_), rows(delta),
                                              gradient);
}

template class LayerNorm<double>;
template class LayerNorm<float>;

}  // namespace kernmill::tasks
