#include "kernmill/tasks/learn/parallel/sliced_norm.hpp"

#include "kernmill/kernels/layer_norm.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
Sliced<T> SlicedNorm<T>::make_memory(std::size_t rows) const {
  return {kernels::make_matrix<Device, T>(rows, 2)};
}

template <class T>
typename SlicedNorm<T>::Matrix SlicedNorm<T>::moments_of(const LayerRows<T>& rows) const {
  return kernels::rows_of<Device, T>(rows.memory[0], 0, rows.input[0].extent(0));
}

template <class T>
typename SlicedNorm<T>::Vector SlicedNorm<T>::gain(const Vector& parameters, std::size_t slice) const {
  return kernels::part_of<Device, T>(parameters, 2 * slice * this->width(), this->width());
}

template <class T>
typename SlicedNorm<T>::Vector SlicedNorm<T>::shift(const Vector& parameters, std::size_t slice) const {
  return kernels::part_of<Device, T>(parameters, (2 * slice + 1) * this->width(), this->width());
}

template <class T>
template <class Put>
typename SlicedNorm<T>::Matrix SlicedNorm<T>::total(std::size_t rows, std::size_t columns, const Put& put) {
  memory_.resize(this->slices());
  Sliced<T> sums;
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    if (memory_[i].extent(0) < 2 * rows) memory_[i] = kernels::make_vector<Device, T>(2 * rows);
    sums.push_back(kernels::matrix_of<Device, T>(memory_[i], 0, rows, columns));
    put(i, sums.back());
  }
  fold_slices<T>(sums);
  group_.sum(sums[0]);
  return sums[0];
}

template <class T>
void SlicedNorm<T>::forward(const Vector& parameters, const LayerRows<T>& at) {
  const Sliced<T>&input = at.input, &output = at.output;
  const Matrix moments = moments_of(at);
  if (!this->is_cut())
    return kernels::layer_norm<Device, T>(Device(), gain(parameters, 0), shift(parameters, 0), input[0],
                                          moments, output[0]);
  const std::size_t rows = moments.extent(0), units = this->all_units();
  kernels::put_means<Device, T>(Device(),
                                total(rows, 1,
                                      [&](std::size_t i, const Matrix& sums) {
                                        kernels::row_sums<Device, T>(Device(), input[i], sums);
                                      }),
                                units, moments);
  kernels::put_inverse_deviations<Device, T>(Device(),
                                             total(rows, 1,
                                                   [&](std::size_t i, const Matrix& sums) {
                                                     kernels::row_squares<Device, T>(Device(), input[i],
                                                                                     moments, sums);
                                                   }),
                                             units, moments);
  for (std::size_t i = 0; i < input.size(); ++i)
    kernels::normalise<Device, T>(Device(), gain(parameters, i), shift(parameters, i), input[i], moments,
                                  output[i]);
}

template <class T>
void SlicedNorm<T>::backward(const Vector& parameters, const LayerRows<T>& at, const Sliced<T>& delta,
                             const Sliced<T>& input_delta) {
  const Sliced<T>& input = at.input;
  const Matrix moments = moments_of(at);
  if (!this->is_cut())
    return kernels::backward_layer_norm<Device, T>(Device(), gain(parameters, 0), input[0], moments, delta[0],
                                                   input_delta[0]);
  const Matrix sums = total(moments.extent(0), 2, [&](std::size_t i, const Matrix& of_slice) {
    kernels::norm_gradient_sums<Device, T>(Device(), gain(parameters, i), input[i], moments, delta[i],
                                           of_slice);
  });
  for (std::size_t i = 0; i < input.size(); ++i)
    kernels::backward_normalise<Device, T>(Device(), gain(parameters, i), input[i], moments, delta[i], sums,
                                           this->all_units(), input_delta[i]);
}

template <class T>
std::vector<typename SlicedNorm<T>::Part> SlicedNorm<T>::parts(const LayerRows<T>&) const {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < this->slices(); ++i)
    parts.push_back({{2 * i * this->width(), 2 * this->width()}, i});
  return parts;
}

template <class T>
void SlicedNorm<T>::add_gradient(const Part& part, const LayerRows<T>& at, const Sliced<T>& delta,
                                 std::size_t first, std::size_t count, const Vector& gradient) {
  const auto rows = [&](const Matrix& all) { return kernels::rows_of<Device, T>(all, first, count); };
  kernels::add_layer_norm_gradient<Device, T>(Device(), rows(at.input[part.slice]), rows(at.memory[0]),
                                              rows(delta[part.slice]), gradient);
}

template class SlicedNorm<double>;
template class SlicedNorm<float>;

}  // namespace kernmill::tasks
