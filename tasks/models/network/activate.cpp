#include "kernmill/tasks/models/network/activate.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
void Activate<T>::forward(const Vector&, const BatchOf<T>& input, Cuts, const Pass&, const Matrix& output) {
  kernels::activate<Device, T>(Device(), activation_, input.features, output);
}

template <class T>
void Activate<T>::backward(const Vector&, const BatchOf<T>& input, const Matrix&, Cuts, const Matrix& delta,
                           const Matrix& input_delta) {
  if (input_delta.data() != nullptr)
    kernels::backward_activate<Device, T>(Device(), activation_, input.features, delta, input_delta);
}

template class Activate<double>;
template class Activate<float>;

}  // namespace kernmill::tasks
