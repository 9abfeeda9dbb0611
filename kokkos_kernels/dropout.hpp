#pragma once
#include <cstdint>

#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// What decides which units of a row are dropped: a row has the same ones in a step, whoever computes it.
struct DropoutKey {
  std::uint64_t key = 0;  ///< of the seed and the layer
  std::uint64_t step = 0;
  std::uint64_t first_row = 0;     ///< of these rows, among the step's
  std::uint64_t first_column = 0;  ///< of these units, among the layer's
};

/// to(i, j) = from(i, j) / (1 - p), or 0 with probability p (Srivastava et al., 2014; inverted: nothing is to
/// be done where nothing is dropped). Of a gradient it is the same. The two may be one array.
/// Four units share a counter: 32 bits decide, so that p counts in steps of 2^-32. 0 <= p < 1.
template <class Space, class T = double>
void drop(const Space& space, double p, DropoutKey draw, ConstMatrix<Space, T> from, Matrix<Space, T> to) {
  const std::size_t before = draw.first_column, behind = before + from.extent(1);
  const std::size_t first_group = before / 4, groups = (behind + 3) / 4 - first_group;
  const auto threshold = static_cast<std::uint64_t>(p * 0x1p32);
  const T scale = static_cast<T>(1.0 / (1.0 - p));
  Kokkos::parallel_for(
      "kernmill_drop", Range<Space>(space, 0, from.extent(0) * groups),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / groups, first = 4 * (first_group + index % groups);
        const Counter drawn =
            philox({{static_cast<std::uint32_t>(first / 4), static_cast<std::uint32_t>(draw.first_row + i),
                     static_cast<std::uint32_t>(draw.step), static_cast<std::uint32_t>(draw.step >> 32U)}},
                   draw.key);
        const std::size_t begin = first < before ? before : first,
                          end = first + 4 < behind ? first + 4 : behind;
        for (std::size_t j = begin; j < end; ++j)
          to(i, j - before) = drawn.word[j - first] < threshold ? T(0) : scale * from(i, j - before);
      });
}

}  // namespace kernmill::kernels
