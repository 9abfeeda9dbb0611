#pragma once
#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

enum class Activation { identity, relu, tanh };

/// z(i, j) = f(z(i, j) + bias(j)), in place.
template <class Space, class T = double>
void add_bias_and_activate(const Space& space, Activation activation, ConstVector<Space, T> bias,
                           Matrix<Space, T> z) {
  const std::size_t rows = z.extent(0), columns = z.extent(1);
  switch (activation) {
    case Activation::identity:
      return for_each_entry(
          space, "kernmill_bias", rows, columns,
          KOKKOS_LAMBDA(const std::size_t i, const std::size_t j) { z(i, j) += bias(j); });
    case Activation::relu:
      return for_each_entry(
          space, "kernmill_bias_relu", rows, columns,
          KOKKOS_LAMBDA(const std::size_t i, const std::size_t j) {
            z(i, j) = math::max(z(i, j) + bias(j), T(0));
          });
    case Activation::tanh:
      return for_each_entry(
          space, "kernmill_bias_tanh", rows, columns,
          KOKKOS_LAMBDA(const std::size_t i, const std::size_t j) {
            z(i, j) = math::tanh(z(i, j) + bias(j));
          });
  }
}

/// gradient(i, j) *= f'(...), by the activated value a = f(z): 1 - a^2 of tanh, a > 0 of relu. In place.
template <class Space, class T = double>
void backward_activation(const Space& space, Activation activation, ConstMatrix<Space, T> activated,
                         Matrix<Space, T> gradient) {
  const std::size_t rows = gradient.extent(0), columns = gradient.extent(1);
  switch (activation) {
    case Activation::identity:
      return;
    case Activation::relu:
      return for_each_entry(
          space, "kernmill_relu_backward", rows, columns,
          KOKKOS_LAMBDA(const std::size_t i, const std::size_t j) {
            gradient(i, j) = activated(i, j) > 0 ? gradient(i, j) : gradient(i, j) * 0;
          });
    case Activation::tanh:
      return for_each_entry(
          space, "kernmill_tanh_backward", rows, columns,
          KOKKOS_LAMBDA(const std::size_t i, const std::size_t j) {
            gradient(i, j) *= 1 - activated(i, j) * activated(i, j);
          });
  }
}

}  // namespace kernmill::kernels
