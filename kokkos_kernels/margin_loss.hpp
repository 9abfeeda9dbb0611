#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Losses of two classes that share one output. As in loss.hpp: in place of the outputs z (rows x 1) their
/// gradient, into `terms` (rows x 2) the row's loss and whether it was predicted right.
namespace kernmill::kernels {

/// log(1 + exp(-y z)) with y = +1 for label 1, else -1. A row is right where z > 0 says label 1.
template <class Space>
void logistic(const Space& space, ConstLabels<Space> labels, Matrix<Space> z, Matrix<Space> terms) {
  Kokkos::parallel_for(
      "kernmill_logistic", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const double y = labels(i) == 1 ? 1.0 : -1.0, margin = y * z(i, 0);
        // exp of what is not positive does not overflow.
        const double small = math::exp(margin > 0 ? -margin : margin);
        terms(i, 0) = math::log1p(small) + (margin > 0 ? 0.0 : -margin);
        terms(i, 1) = (z(i, 0) > 0) == (labels(i) == 1) ? 1.0 : 0.0;
        z(i, 0) = -y * (margin > 0 ? small : 1.0) / (1.0 + small);
      });
}

/// The probabilities of both classes (rows x 2) by their one output.
template <class Space>
void logistic_probabilities(const Space& space, ConstMatrix<Space> z, Matrix<Space> out) {
  Kokkos::parallel_for(
      "kernmill_logistic_probabilities", Range<Space>(space, 0, z.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        const double x = z(i, 0), small = math::exp(x > 0 ? -x : x), sum = 1.0 + small;
        out(i, 0) = (x > 0 ? small : 1.0) / sum;
        out(i, 1) = (x > 0 ? 1.0 : small) / sum;
      });
}

}  // namespace kernmill::kernels
