#pragma once
#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// gelu is x Phi(x) with the normal distribution itself, not its approximation by tanh (Hendrycks and Gimpel,
/// 2016).
enum class Activation { identity, relu, tanh, gelu };

/// z(i, j) = f(z(i, j) + bias(j)), in place, of any f but gelu.
template <class Space, class T = double>
void add_bias_and_activate(const Space& space, Activation activation, ConstVector<Space, T> bias,
                           Matrix<Space, T> z) {
  const std::size_t rows = z.extent(0), columns = z.extent(1);
  switch (activation) {
    case Activation::identity:
    case Activation::gelu:  // which follows by itself
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
/// Not of gelu, of which the activated value does not tell enough: see backward_activate.
template <class Space, class T = double>
void backward_activation(const Space& space, Activation activation, ConstMatrix<Space, T> activated,
                         Matrix<Space, T> gradient) {
  const std::size_t count = gradient.size();
  T* const slope = gradient.data();
  const T* const value = activated.data();
  switch (activation) {
    case Activation::identity:
    case Activation::gelu:
      return;
    case Activation::relu:
      return for_each(
          space, "kernmill_relu_backward", count,
          KOKKOS_LAMBDA(const std::size_t i) { slope[i] = value[i] > 0 ? slope[i] : slope[i] * 0; });
    case Activation::tanh:
      return for_each(
          space, "kernmill_tanh_backward", count,
          KOKKOS_LAMBDA(const std::size_t i) { slope[i] *= 1 - value[i] * value[i]; });
  }
}

/// The value and the slope of an activation at x.
template <class T>
struct Activated {
  T value, slope;
};
template <class T>
KOKKOS_INLINE_FUNCTION Activated<T> activated_at(Activation activation, const T x) {
  if (activation == Activation::relu) return {math::max(x, T(0)), x > 0 ? T(1) : T(0)};
  if (activation == Activation::tanh) {
    const T a = math::tanh(x);
    return {a, 1 - a * a};
  }
  if (activation == Activation::identity) return {x, T(1)};
  const T below = T(0.5) * (1 + math::erf(x * T(0.70710678118654752440)));
  const T density = T(0.39894228040143267794) * math::exp(T(-0.5) * x * x);
  return {x * below, below + x * density};
}

/// activated = f(z), of any f.
template <class Space, class T = double>
void activate(const Space& space, Activation activation, ConstMatrix<Space, T> z,
              Matrix<Space, T> activated) {
  const std::size_t columns = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_activate", Range<Space>(space, 0, z.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        activated(i, j) = activated_at(activation, T(z(i, j))).value;
      });
}

/// z_gradient = gradient * f'(z), of any f.
template <class Space, class T = double>
void backward_activate(const Space& space, Activation activation, ConstMatrix<Space, T> z,
                       ConstMatrix<Space, T> gradient, Matrix<Space, T> z_gradient) {
  const std::size_t columns = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_backward_activate", Range<Space>(space, 0, z.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        z_gradient(i, j) = gradient(i, j) * activated_at(activation, T(z(i, j))).slope;
      });
}

}  // namespace kernmill::kernels
