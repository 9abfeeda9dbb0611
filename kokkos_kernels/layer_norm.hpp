#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Layer normalisation (Ba, Kiros, Hinton, 2016): each row less its mean, over its deviation (of n, not n -
/// 1), times a gain, plus a shift. A row is one thread's: its bits depend on itself alone.
namespace kernmill::kernels {

/// y = gain * (x - mean) / sqrt(variance + 1e-5) + shift. `moments` (rows x 2) gets each row's mean and
/// 1 / sqrt(variance + 1e-5).
template <class Space, class T = double>
void layer_norm(const Space& space, ConstVector<Space, T> gain, ConstVector<Space, T> shift,
                ConstMatrix<Space, T> x, Matrix<Space, T> moments, Matrix<Space, T> y) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_layer_norm", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        T sum = 0, squares = 0;
        for (std::size_t j = 0; j < n; ++j) sum += x(i, j);
        const T mean = sum / static_cast<T>(n);
        for (std::size_t j = 0; j < n; ++j) squares += (x(i, j) - mean) * (x(i, j) - mean);
        const T inverse = 1 / math::sqrt(squares / static_cast<T>(n) + T(1e-5));
        moments(i, 0) = mean;
        moments(i, 1) = inverse;
        for (std::size_t j = 0; j < n; ++j) y(i, j) = gain(j) * ((x(i, j) - mean) * inverse) + shift(j);
      });
}

/// The gradient by x, of that by y.
template <class Space, class T = double>
void backward_layer_norm(const Space& space, ConstVector<Space, T> gain, ConstMatrix<Space, T> x,
                         ConstMatrix<Space, T> moments, ConstMatrix<Space, T> y_gradient,
                         Matrix<Space, T> x_gradient) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_backward_layer_norm", Range<Space>(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        const T mean = moments(i, 0), inverse = moments(i, 1);
        T sum = 0, along = 0;
        for (std::size_t j = 0; j < n; ++j) {
          const T g = gain(j) * y_gradient(i, j);
          sum += g;
          along += g * ((x(i, j) - mean) * inverse);
        }
        sum /= static_cast<T>(n);
        along /= static_cast<T>(n);
        for (std::size_t j = 0; j < n; ++j) {
          const T g = gain(j) * y_gradient(i, j);
          x_gradient(i, j) = inverse * (g - sum - along * ((x(i, j) - mean) * inverse));
        }
      });
}

/// Adds the gradients by the gain and, behind it, by the shift: sums over the rows in their order.
template <class Space, class T = double>
void add_layer_norm_gradient(const Space& space, ConstMatrix<Space, T> x, ConstMatrix<Space, T> moments,
                             ConstMatrix<Space, T> y_gradient, Vector<Space, T> gradient) {
  const std::size_t rows = x.extent(0), n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_layer_norm_gradient", Range<Space>(space, 0, n), KOKKOS_LAMBDA(const std::size_t j) {
        T gain = 0, shift = 0;
        for (std::size_t i = 0; i < rows; ++i) {
          gain += y_gradient(i, j) * ((x(i, j) - moments(i, 0)) * moments(i, 1));
          shift += y_gradient(i, j);
        }
        gradient(j) += gain;
        gradient(n + j) += shift;
      });
}

}  // namespace kernmill::kernels
