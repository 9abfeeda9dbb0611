#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

enum class Activation { identity, relu, tanh };

/// z(i, j) = f(z(i, j) + bias(j)), in place.
template <class Space, class T = double>
void add_bias_and_activate(const Space& space, Activation activation, ConstVector<Space, T> bias,
                           Matrix<Space, T> z) {
  const std::size_t columns = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_bias_activation", Range<Space>(space, 0, z.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        const T x = z(i, j) + bias(j);
        if (activation == Activation::relu) {
          z(i, j) = math::max(x, T(0));
        } else {
          z(i, j) = activation == Activation::tanh ? math::tanh(x) : x;
        }
      });
}

/// gradient(i, j) *= f'(...), by the activated value a = f(z): 1 - a^2 of tanh, a > 0 of relu. In place.
template <class Space, class T = double>
void backward_activation(const Space& space, Activation activation, ConstMatrix<Space, T> activated,
                         Matrix<Space, T> gradient) {
  if (activation == Activation::identity) return;
  const std::size_t columns = gradient.extent(1);
  Kokkos::parallel_for(
      "kernmill_activation_backward", Range<Space>(space, 0, gradient.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        const T a = activated(i, j);
        gradient(i, j) *= activation == Activation::tanh ? 1 - a * a : (a > 0 ? T(1) : T(0));
      });
}

}  // namespace kernmill::kernels
