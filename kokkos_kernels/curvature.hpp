#pragma once
#include "kernmill/kernels/types.hpp"

/// Second derivatives of a row's loss by its outputs, and products with them. What is stored of a row has one
/// number an output, and is made of the gradient that the loss left (loss.hpp).
namespace kernmill::kernels {

/// Of the cross-entropy the probabilities: p = gradient + 1[label].
template <class Space>
void softmax_curvature(const Space& space, ConstLabels<Space> labels, ConstMatrix<Space> gradient,
                       Matrix<Space> p) {
  Kokkos::parallel_for(
      "kernmill_softmax_curvature", Range<Space>(space, 0, p.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < p.extent(1); ++j)
          p(i, j) = gradient(i, j) + (static_cast<int>(j) == labels(i) ? 1.0 : 0.0);
      });
}

/// u = (diag(p) - p p^T) u of each row, in place.
template <class Space>
void multiply_by_softmax(const Space& space, ConstMatrix<Space> p, Matrix<Space> u) {
  Kokkos::parallel_for(
      "kernmill_softmax_product", Range<Space>(space, 0, u.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        double mean = 0;
        for (std::size_t j = 0; j < u.extent(1); ++j) mean += p(i, j) * u(i, j);
        for (std::size_t j = 0; j < u.extent(1); ++j) u(i, j) = p(i, j) * (u(i, j) - mean);
      });
}

/// p (1 - p): the second derivative by each output alone.
template <class Space>
void softmax_diagonal(const Space& space, ConstMatrix<Space> p, Matrix<Space> diagonal) {
  const std::size_t columns = p.extent(1);
  Kokkos::parallel_for(
      "kernmill_softmax_diagonal", Range<Space>(space, 0, p.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        diagonal(i, j) = p(i, j) * (1.0 - p(i, j));
      });
}

/// Of a loss that is a square where it is not 0: 2 there, else 0.
template <class Space>
void quadratic_curvature(const Space& space, ConstMatrix<Space> gradient, Matrix<Space> curvature) {
  const std::size_t columns = gradient.extent(1);
  Kokkos::parallel_for(
      "kernmill_quadratic_curvature", Range<Space>(space, 0, gradient.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        curvature(i, j) = gradient(i, j) != 0 ? 2.0 : 0.0;
      });
}

/// Of the logistic loss: s (1 - s), where s is the gradient's size.
template <class Space>
void logistic_curvature(const Space& space, ConstMatrix<Space> gradient, Matrix<Space> curvature) {
  Kokkos::parallel_for(
      "kernmill_logistic_curvature", Range<Space>(space, 0, gradient.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        const double s = gradient(i, 0) < 0 ? -gradient(i, 0) : gradient(i, 0);
        curvature(i, 0) = s * (1.0 - s);
      });
}

/// u(i, j) *= curvature(i, j).
template <class Space>
void multiply_entries(const Space& space, ConstMatrix<Space> curvature, Matrix<Space> u) {
  const std::size_t columns = u.extent(1);
  Kokkos::parallel_for(
      "kernmill_multiply_entries", Range<Space>(space, 0, u.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        u(i, j) *= curvature(i, j);
      });
}

/// z(i, j) = start(i, j) + lengths(j) * along(i, j).
template <class Space>
void step_along(const Space& space, ConstMatrix<Space> start, ConstVector<Space> lengths,
                ConstMatrix<Space> along, Matrix<Space> z) {
  const std::size_t columns = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_step_along", Range<Space>(space, 0, z.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        z(i, j) = start(i, j) + lengths(j) * along(i, j);
      });
}

/// squares(i, j) = values(i, j)^2.
template <class Space>
void square_entries(const Space& space, ConstMatrix<Space> values, Matrix<Space> squares) {
  const std::size_t columns = values.extent(1);
  Kokkos::parallel_for(
      "kernmill_square_entries", Range<Space>(space, 0, values.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        squares(i, j) = values(i, j) * values(i, j);
      });
}

/// Each row of u times the weight of its class.
template <class Space>
void scale_rows(const Space& space, ConstVector<Space> weights, ConstLabels<Space> labels, Matrix<Space> u) {
  Kokkos::parallel_for(
      "kernmill_scale_rows", Range<Space>(space, 0, u.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const double weight = weights(static_cast<std::size_t>(labels(i)));
        for (std::size_t j = 0; j < u.extent(1); ++j) u(i, j) *= weight;
      });
}

/// Each row of u times its own weight.
template <class Space>
void scale_rows(const Space& space, ConstVector<Space> weights, Matrix<Space> u) {
  const std::size_t columns = u.extent(1);
  Kokkos::parallel_for(
      "kernmill_scale_each_row", Range<Space>(space, 0, u.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        u(index / columns, index % columns) *= weights(index / columns);
      });
}

}  // namespace kernmill::kernels
