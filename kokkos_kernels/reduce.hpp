#pragma once
#include <algorithm>

#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// How many rows one thread adds up in turn. Fixed: together with the pairwise fold of the blocks it makes a
/// sum the same bits for every number of threads.
inline constexpr std::size_t reduction_block = 4096;

namespace detail {

/// sums(b, j) = sum over the rows i of block b of values(i, j), as a GPU likes it: a team adds up
/// neighbouring columns, and several lanes of rows of each at once, which it folds in their order at the end.
/// The bits do not depend on the size of the teams.
template <class Space, class T, class Sum>
void sum_blocks_in_teams(const Space& space, ConstMatrix<Space, T> values, Matrix<Space, Sum> sums,
                         int team_size) {
  using Policy = Kokkos::TeamPolicy<Space>;
  using Scratch = Kokkos::View<Sum*, typename Space::scratch_memory_space, Kokkos::MemoryUnmanaged>;
  constexpr std::size_t width = 32, lanes = 8;
  const std::size_t rows = values.extent(0), columns = values.extent(1);
  const std::size_t groups = (columns + width - 1) / width;
  Kokkos::parallel_for(
      "kernmill_block_sums",
      Policy(space, static_cast<int>(groups * sums.extent(0)), team_size)
          .set_scratch_size(0, Kokkos::PerTeam(static_cast<int>(Scratch::shmem_size(width * lanes)))),
      KOKKOS_LAMBDA(const typename Policy::member_type& team) {
        const Scratch lane_sums(team.team_scratch(0), width * lanes);
        const std::size_t block = static_cast<std::size_t>(team.league_rank()) / groups;
        const std::size_t first = static_cast<std::size_t>(team.league_rank()) % groups * width;
        const std::size_t begin = block * reduction_block;
        const std::size_t end = begin + reduction_block < rows ? begin + reduction_block : rows;
        const auto rank = static_cast<std::size_t>(team.team_rank());
        const auto size = static_cast<std::size_t>(team.team_size());
        for (std::size_t place = rank; place < width * lanes; place += size) {
          const std::size_t j = first + place % width;
          Sum sum = 0;
          if (j < columns)
            for (std::size_t i = begin + place / width; i < end; i += lanes) sum += values(i, j);
          lane_sums(place) = sum;
        }
        team.team_barrier();
        for (std::size_t place = rank; place < width && first + place < columns; place += size) {
          Sum sum = 0;
          for (std::size_t lane = 0; lane < lanes; ++lane) sum += lane_sums(lane * width + place);
          sums(block, first + place) = sum;
        }
      });
}

}  // namespace detail

/// sums(j) = sum over i of values(i, j), added up in the type of the sums.
template <class Space, class T = double, class Sum = T>
void column_sums(const Space& space, ConstMatrix<Space, T> values, Vector<Space, Sum> sums) {
  const std::size_t rows = values.extent(0), columns = values.extent(1);
  const std::size_t blocks = rows == 0 ? 1 : (rows + reduction_block - 1) / reduction_block;
  const auto partial =
      blocks == 1 ? Matrix<Space, Sum>(sums.data(), 1, columns) : make_matrix<Space, Sum>(blocks, columns);
  if constexpr (std::is_same_v<typename Space::memory_space, Kokkos::HostSpace>) {
    for_each_block(space, "kernmill_block_sums", blocks, [=](const std::size_t block) {
      const auto from = values;
      const auto to = partial;
      const std::size_t begin = block * reduction_block, end = std::min(begin + reduction_block, rows);
      for (std::size_t j = 0; j < columns; ++j) to(block, j) = 0;
      for (std::size_t i = begin; i < end; ++i)
#pragma GCC ivdep
        for (std::size_t j = 0; j < columns; ++j) to(block, j) += from(i, j);
    });
  } else {
    detail::sum_blocks_in_teams<Space, T, Sum>(space, values, partial, 256);
  }
  if (blocks > 1)
    Kokkos::parallel_for(
        "kernmill_fold_blocks", Range<Space>(space, 0, columns), KOKKOS_LAMBDA(const std::size_t j) {
          for (std::size_t step = 1; step < blocks; step *= 2) {
            for (std::size_t i = 0; i + step < blocks; i += 2 * step) partial(i, j) += partial(i + step, j);
          }
          sums(j) = partial(0, j);
        });
}

/// target(i) += source(i).
template <class Space, class T = double>
void add(const Space& space, ConstVector<Space, T> source, Vector<Space, T> target) {
  for_each(
      space, "kernmill_add", target.extent(0),
      KOKKOS_LAMBDA(const std::size_t i) { target(i) += source(i); });
}

}  // namespace kernmill::kernels
