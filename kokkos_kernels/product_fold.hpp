#pragma once
#include <span>

#include "kernmill/kernels/gemm.hpp"
#include "kernmill/kernels/product_tile.hpp"
#include "kernmill/kernels/tree_fold.hpp"

namespace kernmill::kernels {

/// Whether products are folded as fast as they are made: on the host.
template <class Space>
inline constexpr bool folds_products = detail::has_product_tiles&& std::is_same_v<Space, Host>;

/// sums[k] = a_i^T b_i, added up along TreeFold's tree over the leaves i of the k-th whole subtree
/// (whole_subtrees): the rows are cut into pieces, leaf `first_leaf` and those behind it, where `cuts` says
/// where each begins, and the end. `a_i` are the `count` columns of the piece's rows of a from `first` on; a
/// sum is count x n, row by row. A piece's products are added row after row, with one rounding each where the
/// processor multiplies and adds at once: the bits are a matter of the piece alone.
///
/// A tile of the sums stays in registers over all rows of a piece, and the tiles that wait for their siblings
/// in the nearest cache, so that the tree costs next to nothing (Goto and van de Geijn, Anatomy of
/// High-Performance Matrix Multiplication, 2008, but for the tree). Copies a's columns, and some of b's, into
/// memory of the thread's own.
template <class T>
void fold_products(ConstMatrix<Host, T> a, std::size_t first, std::size_t count, ConstMatrix<Host, T> b,
                   std::span<const std::size_t> cuts, std::uint64_t first_leaf, std::span<T* const> sums) {
  detail::fold_products<T>({{a.data() + first, a.extent(1)},
                            count,
                            {b.data(), b.extent(1)},
                            b.extent(1),
                            cuts,
                            first_leaf,
                            sums,
                            false});
}

/// What is done to an entry of a product when it is there.
template <class T>
struct Finish {
  ConstVector<Host, T> bias{};       ///< of each column: it is added
  bool rectifies = false;            ///< max(entry + bias, 0)
  ConstMatrix<Host, T> rectified{};  ///< in place of both: times relu's slope where that gave these
};

/// c = a op(b), finished. Each entry is added up in the order of the inner index, with one rounding each
/// where the processor multiplies and adds at once: a row's bits are a matter of that row and of b alone, and
/// the same on all processors from x86-64-v3 on.
template <class T>
void multiply_rows(ConstMatrix<Host, T> a, Transpose tb, ConstMatrix<Host, T> b, Matrix<Host, T> c,
                   const Finish<T>& finish = {}) {
  const std::size_t whole[] = {0, a.extent(1)};
  T* const sums[] = {c.data()};
  detail::fold_products<T>({.a = {a.data(), a.extent(1), true},
                            .count = a.extent(0),
                            .b = {b.data(), b.extent(1), tb == Transpose::yes},
                            .n = c.extent(1),
                            .cuts = whole,
                            .first_leaf = 0,
                            .sums = sums,
                            .bias = finish.bias.data(),
                            .rectifies = finish.rectifies,
                            .rectified = finish.rectified.data()});
}

/// c += a_part^T b, where a_part is `count` columns of a from `first` on: what some of the inputs add to a
/// gradient. On the host a piece of `fold_products`.
template <class Space, class T = double>
void add_product_of_columns(const Space& space, ConstMatrix<Space, T> a, std::size_t first, std::size_t count,
                            ConstMatrix<Space, T> b, Matrix<Space, T> c, Multiply how = Multiply::fast) {
  const std::size_t rows = a.extent(0), n = c.extent(1);
  if (rows == 0 || count == 0 || n == 0) return;
  const ConstMatrix<Space, T> left = factor<Space, T>(space, how, a), right = factor<Space, T>(space, how, b);
  if constexpr (folds_products<Space>) {
    space.fence();
    const std::size_t whole[] = {0, rows};
    T* const sums[] = {c.data()};
    detail::fold_products<T>(
        {{left.data() + first, a.extent(1)}, count, {right.data(), n}, n, whole, 0, sums, true});
  } else if constexpr (detail::Blas<Space>::available) {
    detail::Blas<Space>::gemm(space, how == Multiply::bfloat16, true, false, count, n, rows, T(1),
                              left.data() + first, a.extent(1), right.data(), b.extent(1), T(1), c.data());
  } else {
    Kokkos::parallel_for(
        "kernmill_product_of_columns", Range<Space>(space, 0, count * n),
        KOKKOS_LAMBDA(const std::size_t index) {
          const std::size_t i = index / n, j = index % n;
          T sum = 0;
          for (std::size_t k = 0; k < rows; ++k) sum += left(k, first + i) * right(k, j);
          c(i, j) += sum;
        });
  }
}

}  // namespace kernmill::kernels
