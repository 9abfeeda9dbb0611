#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// Rows in compressed sparse row form: row i has entries [begins(i), begins(i + 1)), columns ascending.
/// Views: whoever made the arrays keeps them.
template <class Space>
struct SparseRows {
  template <class T>
  using Array = Kokkos::View<const T*, Kokkos::LayoutRight, typename Space::memory_space>;
  Array<std::uint64_t> begins;  ///< one more than there are rows
  Array<std::uint32_t> columns;
  Array<double> values;
  [[nodiscard]] std::size_t rows() const { return begins.extent(0) == 0 ? 0 : begins.extent(0) - 1; }
};

/// Rows [first, first + count): a view, not a copy.
template <class Space>
SparseRows<Space> rows_of(const SparseRows<Space>& rows, std::size_t first, std::size_t count) {
  using Begins = typename SparseRows<Space>::template Array<std::uint64_t>;
  return {Begins(rows.begins.data() + first, count + 1), rows.columns, rows.values};
}

/// In place of a first column: products are with all of them.
inline constexpr std::size_t all_columns = std::numeric_limits<std::size_t>::max();

namespace detail {

/// How many outputs a thread works on together.
inline constexpr std::size_t outputs_together = 8;
inline constexpr std::size_t most_slabs = 1024;

inline std::size_t blocks_of_outputs(std::size_t outputs) {
  return (outputs + outputs_together - 1) / outputs_together;
}

/// The first of entries [begin, end) whose column is not below `column`.
template <class Columns>
KOKKOS_INLINE_FUNCTION std::uint64_t first_entry_from(const Columns& columns, std::uint64_t begin,
                                                      std::uint64_t end, std::size_t column) {
  while (begin < end) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    if (columns(middle) < column) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

}  // namespace detail

/// z = rows * weights, each sum in the order of the row's entries. Where `first_column` is given, weights are
/// those of some columns, of that and the following ones, and the sums those over their entries.
template <class Space, class T = double>
void multiply(const Space& space, const SparseRows<Space>& rows, ConstMatrix<Space, T> weights,
              Matrix<Space, T> z, std::size_t first_column = all_columns) {
  const std::size_t outputs = z.extent(1), blocks = detail::blocks_of_outputs(outputs);
  const bool whole = first_column == all_columns;
  const std::size_t low = whole ? 0 : first_column, high = low + weights.extent(0);
  Kokkos::parallel_for(
      "kernmill_sparse_product", Range<Space>(space, 0, rows.rows() * blocks),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / blocks, first = index % blocks * detail::outputs_together;
        const std::size_t count =
            outputs - first < detail::outputs_together ? outputs - first : detail::outputs_together;
        T sums[detail::outputs_together] = {};
        const std::uint64_t end = rows.begins(i + 1);
        const std::uint64_t begin =
            whole ? rows.begins(i) : detail::first_entry_from(rows.columns, rows.begins(i), end, low);
        const std::uint64_t behind = whole ? end : detail::first_entry_from(rows.columns, begin, end, high);
        for (std::uint64_t e = begin; e < behind; ++e) {
          const T value = static_cast<T>(rows.values(e));
          const std::size_t column = rows.columns(e) - low;
          for (std::size_t j = 0; j < count; ++j) sums[j] += value * weights(column, first + j);
        }
        for (std::size_t j = 0; j < count; ++j) z(i, first + j) = sums[j];
      });
}

/// out += transposed rows * delta, in the order of the rows; `squared`: of the squares of their values. It
/// has as many columns as out has rows, from `first_column` on. Threads share out the columns, `slabs` of
/// them (0: as many as there are threads): the bits do not depend on it. Columns without entries cost
/// nothing.
template <class Space, class T = double>
void add_transposed_product(const Space& space, const SparseRows<Space>& rows, ConstMatrix<Space, T> delta,
                            Matrix<Space, T> out, std::size_t slabs = 0, bool squared = false,
                            std::size_t first_column = 0) {
  const std::size_t columns = out.extent(0), outputs = out.extent(1);
  const std::size_t blocks = detail::blocks_of_outputs(outputs), count_of_rows = rows.rows();
  if (slabs == 0) {
    const auto threads = static_cast<std::size_t>(std::max(1, static_cast<int>(space.concurrency())));
    slabs = std::min({threads, detail::most_slabs, std::max<std::size_t>(columns, 1)});
  }
  Kokkos::parallel_for(
      "kernmill_sparse_transposed", Range<Space>(space, 0, slabs * blocks),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t slab = index / blocks, first = index % blocks * detail::outputs_together;
        const std::size_t end =
            outputs - first < detail::outputs_together ? outputs : first + detail::outputs_together;
        const std::size_t low = first_column + slab * columns / slabs,
                          high = first_column + (slab + 1) * columns / slabs;
        for (std::size_t i = 0; i < count_of_rows; ++i) {
          const std::uint64_t last = rows.begins(i + 1);
          for (std::uint64_t e = detail::first_entry_from(rows.columns, rows.begins(i), last, low);
               e < last && rows.columns(e) < high; ++e) {
            const T value = static_cast<T>(squared ? rows.values(e) * rows.values(e) : rows.values(e));
            const std::size_t column = rows.columns(e) - first_column;
            for (std::size_t j = first; j < end; ++j) out(column, j) += value * delta(i, j);
          }
        }
      });
}

/// Rows i of `from` become rows places(i) of `to`; its other rows are zero.
template <class Space, class T = double>
void scatter_rows(const Space& space, ConstMatrix<Space, T> from,
                  const typename SparseRows<Space>::template Array<std::uint32_t>& places,
                  Matrix<Space, T> to) {
  Kokkos::deep_copy(space, to, T(0));
  const std::size_t columns = to.extent(1);
  Kokkos::parallel_for(
      "kernmill_scatter_rows", Range<Space>(space, 0, from.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        to(places(i), j) = from(i, j);
      });
}

}  // namespace kernmill::kernels
