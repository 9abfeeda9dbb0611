#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Layer normalisation (Ba, Kiros, Hinton, 2016): each row less its mean, over its deviation (of n, not n -
/// 1), times a gain, plus a shift. A row is one thread's: its bits depend on itself alone.
namespace kernmill::kernels {

namespace detail {

// What is done to row i, or to a slice of it.

template <class T, class Rows>
KOKKOS_INLINE_FUNCTION T row_sum(const Rows& x, std::size_t i) {
  T sum = 0;
  for (std::size_t j = 0; j < x.extent(1); ++j) sum += x(i, j);
  return sum;
}

/// The sum of the squared deviations from the mean.
template <class T, class Rows>
KOKKOS_INLINE_FUNCTION T row_squares(const Rows& x, std::size_t i, T mean) {
  T sum = 0;
  for (std::size_t j = 0; j < x.extent(1); ++j) sum += (x(i, j) - mean) * (x(i, j) - mean);
  return sum;
}

template <class T>
KOKKOS_INLINE_FUNCTION T inverse_deviation(T squares, std::size_t units) {
  return 1 / math::sqrt(squares / static_cast<T>(units) + T(1e-5));
}

template <class T, class Parameters, class Rows, class Out>
KOKKOS_INLINE_FUNCTION void normalise_row(const Parameters& gain, const Parameters& shift, const Rows& x,
                                          std::size_t i, T mean, T inverse, const Out& y) {
  for (std::size_t j = 0; j < x.extent(1); ++j) y(i, j) = gain(j) * ((x(i, j) - mean) * inverse) + shift(j);
}

/// Of the gradient by the normalised row: its sum, and that along the row.
template <class T>
struct NormSums {
  T sum, along;
};

template <class T, class Parameters, class Rows>
KOKKOS_INLINE_FUNCTION NormSums<T> norm_sums(const Parameters& gain, const Rows& x, std::size_t i, T mean,
                                             T inverse, const Rows& y_gradient) {
  NormSums<T> sums{0, 0};
  for (std::size_t j = 0; j < x.extent(1); ++j) {
    const T g = gain(j) * y_gradient(i, j);
    sums.sum += g;
    sums.along += g * ((x(i, j) - mean) * inverse);
  }
  return sums;
}

/// With these sums over the whole row, of so many units.
template <class T, class Parameters, class Rows, class Out>
KOKKOS_INLINE_FUNCTION void backward_row(const Parameters& gain, const Rows& x, std::size_t i, T mean,
                                         T inverse, const Rows& y_gradient, NormSums<T> sums,
                                         std::size_t units, const Out& x_gradient) {
  const T sum = sums.sum / static_cast<T>(units), along = sums.along / static_cast<T>(units);
  for (std::size_t j = 0; j < x.extent(1); ++j) {
    const T g = gain(j) * y_gradient(i, j);
    x_gradient(i, j) = inverse * (g - sum - along * ((x(i, j) - mean) * inverse));
  }
}

}  // namespace detail

/// y = gain * (x - mean) / sqrt(variance + 1e-5) + shift. `moments` (rows x 2) gets each row's mean and
/// 1 / sqrt(variance + 1e-5).
template <class Space, class T = double>
void layer_norm(const Space& space, ConstVector<Space, T> gain, ConstVector<Space, T> shift,
                ConstMatrix<Space, T> x, Matrix<Space, T> moments, Matrix<Space, T> y) {
  const std::size_t n = x.extent(1);
  Kokkos::parallel_for(
      "kernmill_layer_norm", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T mean = detail::row_sum<T>(x, i) / static_cast<T>(n);
        const T inverse = detail::inverse_deviation<T>(detail::row_squares<T>(x, i, mean), n);
        moments(i, 0) = mean;
        moments(i, 1) = inverse;
        detail::normalise_row<T>(gain, shift, x, i, mean, inverse, y);
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
        const auto sums = detail::norm_sums<T>(gain, x, i, mean, inverse, y_gradient);
        detail::backward_row<T>(gain, x, i, mean, inverse, y_gradient, sums, n, x_gradient);
      });
}

// The same of slices of rows. What goes over a row is summed up slice by slice, and the sums are added up by
// whoever has them.

/// sums(i, 0) = the sum of row i.
template <class Space, class T = double>
void row_sums(const Space& space, ConstMatrix<Space, T> x, Matrix<Space, T> sums) {
  Kokkos::parallel_for(
      "kernmill_row_sums", Range<Space>(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { sums(i, 0) = detail::row_sum<T>(x, i); });
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
  Kokkos::parallel_for(
      "kernmill_row_squares", Range<Space>(space, 0, x.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) { squares(i, 0) = detail::row_squares<T>(x, i, moments(i, 0)); });
}

/// moments(i, 1) = 1 / sqrt(squares(i, 0) / units + 1e-5).
template <class Space, class T = double>
void put_inverse_deviations(const Space& space, ConstMatrix<Space, T> squares, std::size_t units,
                            Matrix<Space, T> moments) {
  Kokkos::parallel_for(
      "kernmill_row_deviations", Range<Space>(space, 0, moments.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        moments(i, 1) = detail::inverse_deviation<T>(squares(i, 0), units);
      });
}

/// What layer_norm makes of rows whose moments are known.
template <class Space, class T = double>
void normalise(const Space& space, ConstVector<Space, T> gain, ConstVector<Space, T> shift,
               ConstMatrix<Space, T> x, ConstMatrix<Space, T> moments, Matrix<Space, T> y) {
  Kokkos::parallel_for(
      "kernmill_normalise", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        detail::normalise_row<T>(gain, shift, x, i, moments(i, 0), moments(i, 1), y);
      });
}

/// The two sums (rows x 2) over a row that backward_layer_norm takes the means of.
template <class Space, class T = double>
void norm_gradient_sums(const Space& space, ConstVector<Space, T> gain, ConstMatrix<Space, T> x,
                        ConstMatrix<Space, T> moments, ConstMatrix<Space, T> y_gradient,
                        Matrix<Space, T> sums) {
  Kokkos::parallel_for(
      "kernmill_norm_gradient_sums", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const auto of_row = detail::norm_sums<T>(gain, x, i, moments(i, 0), moments(i, 1), y_gradient);
        sums(i, 0) = of_row.sum;
        sums(i, 1) = of_row.along;
      });
}

/// The gradient by x, with these sums over rows of so many units.
template <class Space, class T = double>
void backward_normalise(const Space& space, ConstVector<Space, T> gain, ConstMatrix<Space, T> x,
                        ConstMatrix<Space, T> moments, ConstMatrix<Space, T> y_gradient,
                        ConstMatrix<Space, T> sums, std::size_t units, Matrix<Space, T> x_gradient) {
  Kokkos::parallel_for(
      "kernmill_backward_normalise", Range<Space>(space, 0, x.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        detail::backward_row<T>(gain, x, i, moments(i, 0), moments(i, 1), y_gradient,
                                detail::NormSums<T>{sums(i, 0), sums(i, 1)}, units, x_gradient);
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
