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

// The same of slices of rows. What goes over a row is summed up slice by slice, and the sums are added up by
// whoever has them.

/// sums(i, 0) = the sum of row i.
template <class Space, class T = double>
void row_sums(const Space& space, ConstMatrix<Space, T> x, Matrix<Space, T> sums) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_row_sums", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        T sum = 0;
        for (std::size_t j = 0; j < n; ++j) sum += x(i, j);
        sums(i, 0) = sum;
      });
}

/// moments(i, 0) = sums(i, 0) / units.
template <class Space, class T = double>
void put_means(const Space& space, ConstMatrix<Space, T> sums, std::size_t units, Matrix<Space, T> moments) {
  Kokkos::parallel_for(
      "kernmill_row_means", Range<Space>(space, 0, moments.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { moments(i, 0) = sums(i, 0) / static_cast<T>(units); });
}

/// squares(i, 0) = the sum of the squared deviations of row i from its mean.
template <class Space, class T = double>
void row_squares(const Space& space, ConstMatrix<Space, T> x, ConstMatrix<Space, T> moments,
                 Matrix<Space, T> squares) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_row_squares", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T mean = moments(i, 0);
        T sum = 0;
        for (std::size_t j = 0; j < n; ++j) sum += (x(i, j) - mean) * (x(i, j) - mean);
        squares(i, 0) = sum;
      });
}

/// moments(i, 1) = 1 / sqrt(squares(i, 0) / units + 1e-5).
template <class Space, class T = double>
void put_inverse_deviations(const Space& space, ConstMatrix<Space, T> squares, std::size_t units,
                            Matrix<Space, T> moments) {
  Kokkos::parallel_for(
      "kernmill_row_deviations", Range<Space>(space, 0, moments.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        moments(i, 1) = 1 / math::sqrt(squares(i, 0) / static_cast<T>(units) + T(1e-5));
      });
}

/// What layer_norm makes of rows whose moments are known.
template <class Space, class T = double>
void normalise(const Space& space, ConstVector<Space, T> gain, ConstVector<Space, T> shift,
               ConstMatrix<Space, T> x, ConstMatrix<Space, T> moments, Matrix<Space, T> y) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_normalise", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T mean = moments(i, 0), inverse = moments(i, 1);
        for (std::size_t j = 0; j < n; ++j) y(i, j) = gain(j) * ((x(i, j) - mean) * inverse) + shift(j);
      });
}

/// The two sums (rows x 2) over a row that backward_layer_norm takes the means of.
template <class Space, class T = double>
void norm_gradient_sums(const Space& space, ConstVector<Space, T> gain, ConstMatrix<Space, T> x,
                        ConstMatrix<Space, T> moments, ConstMatrix<Space, T> y_gradient,
                        Matrix<Space, T> sums) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_norm_gradient_sums", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T mean = moments(i, 0), inverse = moments(i, 1);
        T sum = 0, along = 0;
        for (std::size_t j = 0; j < n; ++j) {
          const T g = gain(j) * y_gradient(i, j);
          sum += g;
          along += g * ((x(i, j) - mean) * inverse);
        }
        sums(i, 0) = sum;
        sums(i, 1) = along;
      });
}

/// The gradient by x, with these sums over rows of so many units.
template <class Space, class T = double>
void backward_normalise(const Space& space, ConstVector<Space, T> gain, ConstMatrix<Space, T> x,
                        ConstMatrix<Space, T> moments, ConstMatrix<Space, T> y_gradient,
                        ConstMatrix<Space, T> sums, std::size_t units, Matrix<Space, T> x_gradient) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_backward_normalise", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T mean = moments(i, 0), inverse = moments(i, 1);
        const T sum = sums(i, 0) / static_cast<T>(units), along = sums(i, 1) / static_cast<T>(units);
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
