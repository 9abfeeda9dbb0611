#include "kernmill/tasks/models/network/dropout.hpp"

namespace kernmill::tasks {

using kernels::Device;

kernels::DropoutKey dropout_key(const Pass& pass, std::size_t number) {
  constexpr std::uint64_t stream = 0x64726f706f757473ULL;  // no other numbers are drawn from it
  return {kernels::random_bits(pass.seed, stream, number), pass.step, pass.first_row};
}

template <class T>
void Dropout<T>::forward(const Vector&, const BatchOf<T>& input, Cuts, const Pass& pass,
                         const Matrix& output) {
  pass_ = pass;
  if (pass.trains) {
    kernels::drop<Device, T>(Device(), share_, dropout_key(pass_, number_), input.features, output);
  } else {
    Kokkos::deep_copy(Device(), output, input.features);
  }
}

template <class T>
void Dropout<T>::backward(const Vector&, const BatchOf<T>&, const Matrix&, Cuts, const Matrix& delta,
                          const Matrix& input_delta) {
  if (input_delta.data() == nullptr) return;
  if (pass_.trains) {
    kernels::drop<Device, T>(Device(), share_, dropout_key(pass_, number_), delta, input_delta);
  } else {
    Kokkos::deep_copy(Device(), input_delta, delta);
  }
}

template class Dropout<double>;
template class Dropout<float>;

}  // namespace kernmill::tasks
