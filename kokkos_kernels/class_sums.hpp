#pragma once
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// sums(i, c * M + m) = sum over s of class c of values(i, s) * coefficients(s, m), in the order of s, for M
/// columns of coefficients; class c has the s in [begins(c), begins(c + 1)). So the support vectors of each
/// class add to the decisions between it and the M other ones.
template <class Space, class Begins>
void class_sums(const Space& space, ConstMatrix<Space> values, ConstMatrix<Space> coefficients,
                const Begins& begins, Matrix<Space> sums) {
  const std::size_t classes = begins.extent(0) - 1, others = coefficients.extent(1);
  Kokkos::parallel_for(
      "kernmill_class_sums", Range<Space>(space, 0, values.extent(0) * classes),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / classes, c = index % classes;
        for (std::size_t m = 0; m < others; ++m) sums(i, c * others + m) = 0;
        for (std::size_t s = begins(c); s < begins(c + 1); ++s) {
          const double value = values(i, s);
          for (std::size_t m = 0; m < others; ++m) sums(i, c * others + m) += value * coefficients(s, m);
        }
      });
}

}  // namespace kernmill::kernels
