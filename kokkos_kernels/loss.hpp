#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Losses of a batch. Each takes the outputs z (rows x outputs) and leaves in their place the gradient of the
/// batch's summed loss; `terms` (rows x T + 1) gets the loss of each row, by part, and in its last column
/// whether the row was predicted right (1 or 0). Sums are left to column_sums.
namespace kernmill::kernels {

/// The class of the greatest output, the lowest of equals.
template <class Space, class T = double>
struct ArgMax {
  ConstMatrix<Space, T> z;
  KOKKOS_INLINE_FUNCTION int operator()(const std::size_t row) const {
    int best = 0;
    for (std::size_t j = 1; j < z.extent(1); ++j) {
      if (z(row, j) > z(row, static_cast<std::size_t>(best))) best = static_cast<int>(j);
    }
    return best;
  }
};

/// log of the softmax of each row, in place, by way of the row's maximum (no overflow).
template <class Space, class T = double>
void log_softmax(const Space& space, Matrix<Space, T> z) {
  Kokkos::parallel_for(
      "kernmill_log_softmax", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        T top = z(i, 0), sum = 0;
        for (std::size_t j = 1; j < z.extent(1); ++j) top = math::max(top, z(i, j));
        for (std::size_t j = 0; j < z.extent(1); ++j) sum += math::exp(z(i, j) - top);
        const T log_sum = top + math::log(sum);
        for (std::size_t j = 0; j < z.extent(1); ++j) z(i, j) -= log_sum;
      });
}

/// Cross-entropy of the softmax, T = 1: the loss is -log p(label), the gradient p - 1[label].
template <class Space, class T = double>
void cross_entropy(const Space& space, ConstLabels<Space> labels, Matrix<Space, T> z,
                   Matrix<Space, T> terms) {
  const ArgMax<Space, T> arg_max{z};
  Kokkos::parallel_for(
      "kernmill_cross_entropy", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const int label = labels(i);
        terms(i, 1) = arg_max(i) == label ? T(1) : T(0);
        T top = z(i, 0), sum = 0;
        for (std::size_t j = 1; j < z.extent(1); ++j) top = math::max(top, z(i, j));
        for (std::size_t j = 0; j < z.extent(1); ++j) sum += math::exp(z(i, j) - top);
        terms(i, 0) = top + math::log(sum) - z(i, static_cast<std::size_t>(label));
        for (std::size_t j = 0; j < z.extent(1); ++j) {
          z(i, j) = math::exp(z(i, j) - top) / sum - (static_cast<int>(j) == label ? T(1) : T(0));
        }
      });
}

/// Squared hinge, one versus rest, T = outputs: max(0, 1 - y f)^2 with y = +1 for the row's class, else -1.
template <class Space, class T = double>
void squared_hinge(const Space& space, ConstLabels<Space> labels, Matrix<Space, T> z,
                   Matrix<Space, T> terms) {
  const std::size_t outputs = z.extent(1);
  const ArgMax<Space, T> arg_max{z};
  Kokkos::parallel_for(
      "kernmill_squared_hinge", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        terms(i, outputs) = arg_max(i) == labels(i) ? T(1) : T(0);
        for (std::size_t j = 0; j < outputs; ++j) {
          const T y = static_cast<int>(j) == labels(i) ? T(1) : T(-1);
          const T margin = math::max(1 - y * z(i, j), T(0));
          terms(i, j) = margin * margin;
          z(i, j) = -2 * y * margin;
        }
      });
}

/// Squared error, T = outputs: (z - target)^2, gradient 2 (z - target). No row is right or wrong (0).
template <class Space, class T = double>
void squared_error(const Space& space, ConstMatrix<Space, T> target, Matrix<Space, T> z,
                   Matrix<Space, T> terms) {
  const std::size_t outputs = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_squared_error", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          const T error = z(i, j) - target(i, j);
          terms(i, j) = error * error;
          z(i, j) = 2 * error;
        }
        terms(i, outputs) = 0;
      });
}

/// Squared error up to |e| = delta, from there on its tangent, 2 delta |e| - delta^2 (Huber, 1964); T =
/// outputs. Twice the loss that has a half in it: a learning rate means what it does for the squared error.
template <class Space, class T = double>
void huber(const Space& space, T delta, ConstMatrix<Space, T> target, Matrix<Space, T> z,
           Matrix<Space, T> terms) {
  const std::size_t outputs = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_huber", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          const T error = z(i, j) - target(i, j);
          const T bounded = error > delta ? delta : (error < -delta ? -delta : error);
          terms(i, j) = bounded * (2 * error - bounded);
          z(i, j) = 2 * bounded;
        }
        terms(i, outputs) = 0;
      });
}

/// Each row's loss, of so many parts, and gradient, as a loss has left them, times the weight of its class.
template <class Space, class T = double>
void weigh_rows(const Space& space, ConstVector<Space> weights, ConstLabels<Space> labels, Matrix<Space, T> z,
                Matrix<Space, T> terms, std::size_t parts) {
  Kokkos::parallel_for(
      "kernmill_weigh_rows", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T weight = static_cast<T>(weights(static_cast<std::size_t>(labels(i))));
        for (std::size_t j = 0; j < parts; ++j) terms(i, j) *= weight;
        for (std::size_t j = 0; j < z.extent(1); ++j) z(i, j) *= weight;
      });
}

/// The same by a weight of the row's own. Where `terms` has a column behind those that a loss sets it gets
/// the weights.
template <class Space, class T = double>
void weigh_rows(const Space& space, ConstVector<Space> weights, Matrix<Space, T> z, Matrix<Space, T> terms,
                std::size_t parts) {
  Kokkos::parallel_for(
      "kernmill_weigh_each_row", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const T weight = static_cast<T>(weights(i));
        for (std::size_t j = 0; j < parts; ++j) terms(i, j) *= weight;
        for (std::size_t j = 0; j < z.extent(1); ++j) z(i, j) *= weight;
        if (terms.extent(1) > parts + 1) terms(i, parts + 1) = weight;
      });
}

}  // namespace kernmill::kernels
