#include "kernmill/tasks/learn/parallel/sliced_entries.hpp"

#include "kernmill/tasks/models/network/dropout.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
Sliced<T> BehindWeights<T>::make_output(std::size_t rows) const {
  return make_sliced<T>(slices(), rows, width());
}

template <class T>
void SlicedActivate<T>::forward(const Vector&, const LayerRows<T>& rows) {
  for (std::size_t i = 0; i < rows.output.size(); ++i)
    kernels::activate<Device, T>(Device(), activation_, rows.input[i], rows.output[i]);
}

template <class T>
void SlicedActivate<T>::backward(const Vector&, const LayerRows<T>& rows, const Sliced<T>& delta,
                                 const Sliced<T>& input_delta) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    kernels::backward_activate<Device, T>(Device(), activation_, rows.input[i], delta[i], input_delta[i]);
}

template <class T>
void SlicedDropout<T>::drop(const Pass& pass, const Sliced<T>& from, const Sliced<T>& to) const {
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (!pass.trains) {
      Kokkos::deep_copy(Device(), to[i], from[i]);
      continue;
    }
    kernels::DropoutKey key = dropout_key(pass, number_);
    key.first_column = this->first_column(i);
    kernels::drop<Device, T>(Device(), share_, key, from[i], to[i]);
  }
}

template <class T>
void SlicedDropout<T>::forward(const Vector&, const LayerRows<T>& rows) {
  drop(rows.pass, rows.input, rows.output);
}

template <class T>
void SlicedDropout<T>::backward(const Vector&, const LayerRows<T>& rows, const Sliced<T>& delta,
                                const Sliced<T>& input_delta) {
  drop(rows.pass, delta, input_delta);
}

template class BehindWeights<double>;
template class BehindWeights<float>;
template class SlicedActivate<double>;
template class SlicedActivate<float>;
template class SlicedDropout<double>;
template class SlicedDropout<float>;

}  // namespace kernmill::tasks
