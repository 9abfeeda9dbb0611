#pragma once
#include <algorithm>
#include <limits>
#include <span>

#include "kernmill/kernels/detail/nearest_host.hpp"
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Rows and the centers that are nearest to them. Rows are looked at less a shift, such as their mean, which
/// the centers have been freed of: squares of what is far from zero would cancel.
namespace kernmill::kernels {

/// Centers as assignment wants them. The score of a row x at center c is |c|^2 / 2 - x.c: half the squared
/// distance, but for what all centers of a row have in common.
template <class Space>
struct Centers {
  Matrix<Space> by_center;   ///< centers x features
  Matrix<Space> by_feature;  ///< features x centers, of which there are a multiple of 8: the others are zeros
  Vector<Space> half_norms;  ///< of those that are there for that multiple: infinite
  Vector<Space> shift;       ///< of the rows
  [[nodiscard]] std::size_t count() const { return by_center.extent(0); }
  [[nodiscard]] std::size_t features() const { return by_center.extent(1); }
};

/// centers: count x features, less the shift.
template <class Space>
Centers<Space> make_centers(std::span<const double> centers, std::span<const double> shift) {
  const std::size_t features = shift.size(), count = centers.size() / features;
  const std::size_t padded = (count + detail::pack_width - 1) / detail::pack_width * detail::pack_width;
  Centers<Space> made{make_matrix<Space>(count, features), make_matrix<Space>(features, padded),
                      make_vector<Space>(padded), make_vector<Space>(features)};
  auto by_center = Kokkos::create_mirror_view(made.by_center);
  auto by_feature = Kokkos::create_mirror_view(made.by_feature);
  auto half_norms = Kokkos::create_mirror_view(made.half_norms);
  for (std::size_t c = 0; c < padded; ++c) {
    double norm = 0;
    for (std::size_t j = 0; j < features; ++j) {
      const double value = c < count ? centers[c * features + j] : 0.0;
      if (c < count) by_center(c, j) = value;
      by_feature(j, c) = value;
      norm += value * value;
    }
    half_norms(c) = c < count ? norm / 2 : std::numeric_limits<double>::infinity();
  }
  Kokkos::deep_copy(made.by_center, by_center);
  Kokkos::deep_copy(made.by_feature, by_feature);
  Kokkos::deep_copy(made.half_norms, half_norms);
  Kokkos::deep_copy(made.shift, host_vector(shift.data(), features));
  return made;
}

/// What is known of rows and centers that move, so that most distances need not be worked out (Hamerly,
/// Making k-means even faster, 2010).
template <class Space>
struct Bounds {
  Labels<Space> labels;  ///< the nearest center; -1: not known yet
  Vector<Space> upper;   ///< not less than the distance to it
  Vector<Space> lower;   ///< not more than that to any other
};

/// How far the centers have moved since the bounds were right.
template <class Space>
struct Motion {
  Vector<Space> drifts;     ///< by center
  Vector<Space> half_gaps;  ///< half the distance to the nearest other center, now
  int furthest = 0;         ///< which has moved most; how far, and how far the next
  double largest = 0, second = 0;
};

/// Moves the bounds with the centers. Returns how many rows may have another nearest center now. `error` is
/// by how much a squared distance may be wrong: a row within it is not taken for settled.
template <class Space>
std::size_t move_bounds(const Space& space, const Motion<Space>& motion, double error,
                        const Bounds<Space>& bounds) {
  constexpr double up = 1 + 1e-15, down = 1 - 1e-15;  // more than a rounding
  const auto labels = bounds.labels;
  const auto upper = bounds.upper, lower = bounds.lower;
  const auto drifts = motion.drifts, half_gaps = motion.half_gaps;
  const int furthest = motion.furthest;
  const double largest = motion.largest, second = motion.second;
  std::size_t unsettled = 0;
  Kokkos::parallel_reduce(
      "kernmill_move_bounds", Range<Space>(space, 0, labels.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i, std::size_t& count) {
        const int label = labels(i);
        if (label < 0) {
          ++count;
          return;
        }
        const double above = (upper(i) + drifts(label)) * up;
        const double below = (lower(i) - (label == furthest ? second : largest)) * down;
        upper(i) = above;
        lower(i) = below > 0 ? below : 0;
        const double bound = lower(i) > half_gaps(label) ? lower(i) : half_gaps(label);
        if (!(above < bound && bound * bound - above * above > 2 * error)) ++count;
      },
      unsettled);
  return unsettled;
}

namespace detail {

/// One thread a row.
template <class Space>
std::size_t assign_on_device(const Space& space, ConstMatrix<Space> rows, const Centers<Space>& centers,
                             Vector<Space> half_gaps, double error, const Bounds<Space>& bounds,
                             Labels<Space> changed) {
  const auto by_center = centers.by_center;
  const auto half_norms = centers.half_norms, shift = centers.shift;
  const auto labels = bounds.labels;
  const auto upper = bounds.upper, lower = bounds.lower;
  const std::size_t count = centers.count(), features = centers.features();
  std::size_t moved = 0;
  Kokkos::parallel_reduce(
      "kernmill_assign", Range<Space>(space, 0, rows.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i, std::size_t& sum) {
        const int old = labels(i);
        const double bound = old < 0 ? 0 : lower(i) > half_gaps(old) ? lower(i) : half_gaps(old);
        if (old >= 0 && upper(i) < bound && bound * bound - upper(i) * upper(i) > 2 * error) return;
        double first = 1.7976931348623157e308, next = first, norm = 0;
        int which = 0;
        for (std::size_t c = 0; c < count; ++c) {
          double score = half_norms(c);
          for (std::size_t j = 0; j < features; ++j) score -= (rows(i, j) - shift(j)) * by_center(c, j);
          if (score < first) {
            next = first;
            first = score;
            which = static_cast<int>(c);
          } else if (score < next) {
            next = score;
          }
        }
        for (std::size_t j = 0; j < features; ++j) norm += (rows(i, j) - shift(j)) * (rows(i, j) - shift(j));
        const double near = norm + 2 * first, far = norm + 2 * next - error;
        upper(i) = math::sqrt((near > 0 ? near : 0) + error);
        lower(i) = math::sqrt(far > 0 ? far : 0);
        if (which == old) return;
        labels(i) = which;
        changed(which) = 1;
        if (old >= 0) changed(old) = 1;
        ++sum;
      },
      moved);
  return moved;
}

/// One thread a sum: it goes over all rows.
template <class Space>
void cluster_sums_on_device(const Space& space, ConstMatrix<Space> rows, const Centers<Space>& centers,
                            ConstLabels<Space> labels, ConstLabels<Space> wanted, ConstVector<Space> weights,
                            Vector<Space> sums) {
  const std::size_t count = centers.count(), features = centers.features(), n = rows.extent(0);
  const bool weighted = weights.extent(0) > 0;
  const auto shift = centers.shift;
  Kokkos::parallel_for(
      "kernmill_cluster_sums", Range<Space>(space, 0, count * (features + 1)),
      KOKKOS_LAMBDA(const std::size_t index) {
        const bool counts = index >= count * features;
        const std::size_t c = counts ? index - count * features : index / features;
        if (wanted(c) == 0) return;
        const std::size_t j = counts ? 0 : index % features;
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i)
          if (labels(i) == static_cast<int>(c))
            sum += (weighted ? weights(i) : 1.0) * (counts ? 1.0 : rows(i, j) - shift(j));
        sums(index) = sum;
      });
}

template <class Space>
inline constexpr bool is_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Space::memory_space>::accessible&&
        Kokkos::SpaceAccessibility<Space, Kokkos::HostSpace>::accessible;

}  // namespace detail

/// Gives each row its nearest center, of two at the same distance the lower one, where the bounds leave that
/// open; sets the bounds of those. The labels are the same whatever the bounds have settled. Sets `changed`,
/// one a center, where a row came or left. Returns how many did.
template <class Space>
std::size_t assign(const Space& space, ConstMatrix<Space> rows, const Centers<Space>& centers,
                   Vector<Space> half_gaps, double error, const Bounds<Space>& bounds,
                   Labels<Space> changed) {
  if constexpr (detail::is_host<Space> && detail::has_host_assignment) {
    constexpr std::size_t block = 256;
    const std::size_t count = rows.extent(0), features = rows.extent(1);
    std::size_t moved = 0;
    Kokkos::parallel_reduce(
        "kernmill_assign", Range<Space>(space, 0, (count + block - 1) / block),
        [&](const std::size_t b, std::size_t& sum) {
          const std::size_t first = b * block;
          detail::HostAssignment part{rows.data() + first * features,
                                      std::min(block, count - first),
                                      features,
                                      centers.count(),
                                      centers.by_feature.extent(1),
                                      centers.by_center.data(),
                                      centers.by_feature.data(),
                                      centers.half_norms.data(),
                                      centers.shift.data(),
                                      error,
                                      bounds.labels.data() + first,
                                      bounds.upper.data() + first,
                                      bounds.lower.data() + first,
                                      changed.data(),
                                      half_gaps.data()};
          detail::assign(part);
          sum += part.moved;
        },
        moved);
    return moved;
  } else {
    return detail::assign_on_device(space, rows, centers, half_gaps, error, bounds, changed);
  }
}

/// squared(i) = the squared distance of row i to center labels(i), as a sum of squares.
template <class Space>
void squared_distances(const Space& space, ConstMatrix<Space> rows, const Centers<Space>& centers,
                       ConstLabels<Space> labels, Vector<Space> squared) {
  const auto by_center = centers.by_center;
  const auto shift = centers.shift;
  const std::size_t features = centers.features();
  Kokkos::parallel_for(
      "kernmill_squared_distances", Range<Space>(space, 0, rows.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        double sum = 0;
        for (std::size_t j = 0; j < features; ++j) {
          const double apart = rows(i, j) - shift(j) - by_center(labels(i), j);
          sum += apart * apart;
        }
        squared(i) = sum;
      });
}

/// For each center that is wanted, the sum of its rows less the shift (centers x features) and behind all of
/// them their numbers, in the order of the rows. What belongs to the others is left as it is. Where there are
/// `weights` a row counts as often as its own says.
template <class Space>
void cluster_sums(const Space& space, ConstMatrix<Space> rows, const Centers<Space>& centers,
                  ConstLabels<Space> labels, ConstLabels<Space> wanted, ConstVector<Space> weights,
                  Vector<Space> sums) {
  const std::size_t count = centers.count(), features = centers.features(), n = rows.extent(0);
  const bool weighted = weights.extent(0) > 0;
  const auto shift = centers.shift;
  if constexpr (detail::is_host<Space>) {
    space.fence();
    for (std::size_t c = 0; c < count; ++c)
      if (wanted(c) != 0) {
        std::fill_n(sums.data() + c * features, features, 0.0);
        sums(count * features + c) = 0;
      }
    for (std::size_t i = 0; i < n; ++i) {
      const auto c = static_cast<std::size_t>(labels(i));
      if (wanted(c) == 0) continue;
      const double *const row = rows.data() + i * features, *const from = shift.data();
      double* const sum = sums.data() + c * features;
      const double weight = weighted ? weights(i) : 1.0;
      for (std::size_t j = 0; j < features; ++j) sum[j] += weight * (row[j] - from[j]);
      sums(count * features + c) += weight;
    }
  } else {
    detail::cluster_sums_on_device(space, rows, centers, labels, wanted, weights, sums);
  }
}

}  // namespace kernmill::kernels
