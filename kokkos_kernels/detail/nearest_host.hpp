#pragma once
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

/// The assignment of rows to centers on the host, eight centers at a time. What a processor has for that is
/// found out when the program runs; the bits are those of the widest that it has, as with a BLAS.
namespace kernmill::kernels::detail {

/// Plain pointers of what kernels/clusters.hpp describes, of one chunk of rows.
struct HostAssignment {
  const double* rows = nullptr;
  std::size_t count = 0, features = 0, centers = 0, padded = 0;
  const double *by_center = nullptr, *by_feature = nullptr, *half_norms = nullptr, *shift = nullptr;
  double error = 0;
  int* labels = nullptr;
  double *upper = nullptr, *lower = nullptr;
  int* changed = nullptr;
  const double* half_gaps = nullptr;
  std::size_t moved = 0;
};

constexpr std::size_t pack_width = 8;

#if defined(__GNUC__) && !defined(__CUDACC__) && !defined(__HIPCC__)
#define KERNMILL_INLINE inline __attribute__((always_inline))
using Pack = double __attribute__((vector_size(64), aligned(8), may_alias));
using IndexPack = long long __attribute__((vector_size(64)));

struct BestOfLanes {
  Pack first, second;
  IndexPack which;
};

/// The scores of `G` packs of centers from `at` on, folded into the best of each lane.
template <std::size_t G>
KERNMILL_INLINE void scan_centers(const HostAssignment& a, const double* row, std::size_t at,
                                  BestOfLanes& best) {
  Pack score[G];
  const Pack* const start = reinterpret_cast<const Pack*>(a.half_norms + at);
  for (std::size_t g = 0; g < G; ++g) score[g] = start[g];
  for (std::size_t j = 0; j < a.features; ++j) {
    const Pack* const column = reinterpret_cast<const Pack*>(a.by_feature + j * a.padded + at);
    for (std::size_t g = 0; g < G; ++g) score[g] -= row[j] * column[g];
  }
  const IndexPack lanes{0, 1, 2, 3, 4, 5, 6, 7};
  for (std::size_t g = 0; g < G; ++g) {
    const auto index = lanes + static_cast<long long>(at + g * pack_width);
    const auto lower = score[g] < best.first;
    const Pack loser = lower ? best.first : score[g];
    best.second = loser < best.second ? loser : best.second;
    best.which = lower ? index : best.which;
    best.first = lower ? score[g] : best.first;
  }
}

struct Nearest {
  double first, second;
  int which;
};

/// Of two centers with the same score the lower one.
KERNMILL_INLINE Nearest nearest_of(const HostAssignment& a, const double* row) {
  BestOfLanes best{};
  best.first += std::numeric_limits<double>::infinity();
  best.second += std::numeric_limits<double>::infinity();
  std::size_t at = 0;
  for (; at + 8 * pack_width <= a.padded; at += 8 * pack_width) scan_centers<8>(a, row, at, best);
  for (; at + 2 * pack_width <= a.padded; at += 2 * pack_width) scan_centers<2>(a, row, at, best);
  if (at < a.padded) scan_centers<1>(a, row, at, best);
  Nearest found{best.first[0], best.second[0], static_cast<int>(best.which[0])};
  for (std::size_t lane = 1; lane < pack_width; ++lane) {
    const double first = best.first[lane];
    const int which = static_cast<int>(best.which[lane]);
    const bool wins = first < found.first || (first == found.first && which < found.which);
    const double loser = wins ? found.first : first;
    found.second = loser < found.second ? loser : found.second;
    found.second = best.second[lane] < found.second ? best.second[lane] : found.second;
    if (wins) found = {first, found.second, which};
  }
  return found;
}

KERNMILL_INLINE double squared_norm_of(const double* row, std::size_t features) {
  double sum = 0;
  for (std::size_t j = 0; j < features; ++j) sum += row[j] * row[j];
  return sum;
}

KERNMILL_INLINE double squared_distance_of(const double* row, const double* center, std::size_t features) {
  double sum = 0;
  for (std::size_t j = 0; j < features; ++j) sum += (row[j] - center[j]) * (row[j] - center[j]);
  return sum;
}

KERNMILL_INLINE bool is_surely_less(double upper, double lower, double error) {
  return upper < lower && lower * lower - upper * upper > 2 * error;
}

KERNMILL_INLINE void settle_row(HostAssignment& a, const double* row, std::size_t i) {
  const int old = a.labels[i];
  if (old >= 0) {
    const double bound = a.lower[i] > a.half_gaps[old] ? a.lower[i] : a.half_gaps[old];
    if (is_surely_less(a.upper[i], bound, a.error)) return;
    const double* const center = a.by_center + static_cast<std::size_t>(old) * a.features;
    a.upper[i] = std::sqrt(squared_distance_of(row, center, a.features) + a.error);
    if (is_surely_less(a.upper[i], bound, a.error)) return;
  }
  const Nearest found = nearest_of(a, row);
  const double norm = squared_norm_of(row, a.features);
  const double second = norm + 2 * found.second - a.error;
  a.upper[i] = std::sqrt(std::fmax(0.0, norm + 2 * found.first) + a.error);
  a.lower[i] = std::sqrt(std::fmax(0.0, second));
  if (found.which == old) return;
  a.labels[i] = found.which;
  a.changed[found.which] = 1;
  if (old >= 0) a.changed[old] = 1;
  ++a.moved;
}

KERNMILL_INLINE void assign_rows(HostAssignment& a, double* row) {
  for (std::size_t i = 0; i < a.count; ++i) {
    const double* const given = a.rows + i * a.features;
    const int old = a.labels[i];
    if (old >= 0) {
      const double bound = a.lower[i] > a.half_gaps[old] ? a.lower[i] : a.half_gaps[old];
      if (is_surely_less(a.upper[i], bound, a.error)) continue;
    }
    for (std::size_t j = 0; j < a.features; ++j) row[j] = given[j] - a.shift[j];
    settle_row(a, row, i);
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512dq,fma"))) inline void assign_avx512(HostAssignment& a, double* row) {
  assign_rows(a, row);
}
__attribute__((target("avx2,fma"))) inline void assign_avx2(HostAssignment& a, double* row) {
  assign_rows(a, row);
}
#endif
inline void assign_plain(HostAssignment& a, double* row) {
  assign_rows(a, row);
}

inline void assign(HostAssignment& a) {
  std::vector<double> row(a.features);
#if defined(__x86_64__)
  static const auto best = __builtin_cpu_supports("avx512dq")                                ? assign_avx512
                           : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? assign_avx2
                                                                                             : assign_plain;
  best(a, row.data());
#else
  assign_plain(a, row.data());
#endif
}
#undef KERNMILL_INLINE
inline constexpr bool has_host_assignment = true;
#else
inline void assign(HostAssignment&) {}
inline constexpr bool has_host_assignment = false;
#endif

}  // namespace kernmill::kernels::detail
