#pragma once
#include "kernmill/kernels/bfloat16.hpp"
#include "kernmill/kernels/detail/blas.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

enum class Transpose { no, yes };

/// Who multiplies: `fast` is the BLAS of the space (the host's, cuBLAS), where there is one; `exact` is a
/// Kokkos kernel that adds in the order of the inner index, whatever the machine; `bfloat16` is the fast one
/// of factors that are rounded to bfloat16 first, with sums in float32, for which GPUs have units. In double
/// that is `fast`.
enum class Multiply { fast, exact, bfloat16 };

/// c = alpha * op(a) * op(b) + beta * c, where op(a) is m x k and op(b) k x n. c may hold anything when beta
/// is 0.
template <class Space, class T = double>
void gemm_exact(const Space& space, Transpose ta, Transpose tb, T alpha, ConstMatrix<Space, T> a,
                ConstMatrix<Space, T> b, T beta, Matrix<Space, T> c) {
  const std::size_t n = c.extent(1);
  const std::size_t inner = ta == Transpose::no ? a.extent(1) : a.extent(0);
  const bool flip_a = ta == Transpose::yes, flip_b = tb == Transpose::yes;
  Kokkos::parallel_for(
      "kernmill_gemm", Range<Space>(space, 0, c.extent(0) * n), KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / n, j = index % n;
        T sum = 0;
        for (std::size_t k = 0; k < inner; ++k) {
          sum += (flip_a ? a(k, i) : a(i, k)) * (flip_b ? b(j, k) : b(k, j));
        }
        c(i, j) = alpha * sum + (beta == 0 ? T(0) : beta * c(i, j));
      });
}

/// A factor as the space's products take it: rounded for `bfloat16`, unless they do that themselves.
template <class Space, class T>
ConstMatrix<Space, T> factor(const Space& space, Multiply how, ConstMatrix<Space, T> matrix) {
  if constexpr (std::is_same_v<T, float> && !detail::Blas<Space>::rounds_factors)
    if (how == Multiply::bfloat16) return rounded_to_bfloat16<Space>(space, matrix);
  return matrix;
}

/// The same through the fastest way that the space has. The bits depend on the shape and the BLAS, not on
/// where the arrays lie nor on what else is multiplied.
template <class Space, class T = double>
void gemm(const Space& space, Transpose ta, Transpose tb, T alpha, ConstMatrix<Space, T> a,
          ConstMatrix<Space, T> b, T beta, Matrix<Space, T> c, Multiply how = Multiply::fast) {
  const std::size_t inner = ta == Transpose::no ? a.extent(1) : a.extent(0);
  if (c.extent(0) == 0 || c.extent(1) == 0) return;
  const ConstMatrix<Space, T> left = factor<Space, T>(space, how, a), right = factor<Space, T>(space, how, b);
  if (inner > 0 && how != Multiply::exact && detail::Blas<Space>::available) {
    detail::Blas<Space>::gemm(space, how == Multiply::bfloat16, ta == Transpose::yes, tb == Transpose::yes,
                              c.extent(0), c.extent(1), inner, alpha, left.data(), a.extent(1), right.data(),
                              b.extent(1), beta, c.data());
  } else {
    gemm_exact<Space, T>(space, ta, tb, alpha, left, right, beta, c);
  }
}

}  // namespace kernmill::kernels
