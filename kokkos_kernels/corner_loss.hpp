#pragma once
#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/types.hpp"

/// Losses with corners, and what smooths them: max(0, r) becomes the least of x - m log(x - r) - m log x over
/// x, the barrier of an interior-point method with its slack taken out. It is above max(0, r) by O(m log m),
/// and its derivatives are those of a point on the central path: the slope is the dual variable, in (0, 1). m
/// = 0 is the loss itself. As in loss.hpp: in place of the outputs their gradient, and terms.
namespace kernmill::kernels {

/// Of one r.
struct Corner {
  double value, slope, curvature;
};

KOKKOS_INLINE_FUNCTION Corner corner(double r, double m) {
  if (m == 0) return {math::max(r, 0.0), r > 0 ? 1.0 : 0.0, 0.0};
  const double size = r < 0 ? -r : r, root = math::sqrt(r * r + 4 * m * m);
  const double near = m + 2 * m * m / (root + size), far = m + 0.5 * (root + size);
  const double slack = r > 0 ? near : far, excess = r > 0 ? far : near;  // excess - slack = r
  return {excess - m * math::log(slack) - m * math::log(excess), m / slack,
          m / (slack * slack + excess * excess)};
}

/// max(0, 1 - y z), one versus rest, T = outputs. Into `curvature`, where it is there, the second
/// derivatives.
template <class Space>
void hinge(const Space& space, ConstLabels<Space> labels, double smoothing, Matrix<Space> z,
           Matrix<Space> terms, Matrix<Space> curvature) {
  const std::size_t outputs = z.extent(1);
  const bool curved = curvature.extent(0) > 0;
  Kokkos::parallel_for(
      "kernmill_hinge", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        std::size_t best = 0;
        for (std::size_t j = 1; j < outputs; ++j)
          if (z(i, j) > z(i, best)) best = j;
        terms(i, outputs) = static_cast<int>(best) == labels(i) ? 1.0 : 0.0;
        for (std::size_t j = 0; j < outputs; ++j) {
          const double y = static_cast<int>(j) == labels(i) ? 1.0 : -1.0;
          const Corner at = corner(1.0 - y * z(i, j), smoothing);
          terms(i, j) = at.value;
          z(i, j) = -y * at.slope;
          if (curved) curvature(i, j) = at.curvature;
        }
      });
}

/// max(0, |target - z| - epsilon), T = outputs; likewise.
template <class Space>
void epsilon_insensitive(const Space& space, ConstMatrix<Space> target, double epsilon, double smoothing,
                         Matrix<Space> z, Matrix<Space> terms, Matrix<Space> curvature) {
  const std::size_t outputs = z.extent(1);
  const bool curved = curvature.extent(0) > 0;
  Kokkos::parallel_for(
      "kernmill_epsilon_insensitive", Range<Space>(space, 0, z.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          const double below = target(i, j) - z(i, j);
          const Corner up = corner(below - epsilon, smoothing), down = corner(-below - epsilon, smoothing);
          terms(i, j) = up.value + down.value;
          z(i, j) = down.slope - up.slope;
          if (curved) curvature(i, j) = up.curvature + down.curvature;
        }
        terms(i, outputs) = 0.0;
      });
}

/// max(0, |target - z| - epsilon)^2, T = outputs.
template <class Space>
void squared_epsilon_insensitive(const Space& space, ConstMatrix<Space> target, double epsilon,
                                 Matrix<Space> z, Matrix<Space> terms) {
  const std::size_t outputs = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_squared_epsilon_insensitive", Range<Space>(space, 0, z.extent(0)),
      KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          const double error = z(i, j) - target(i, j), size = error < 0 ? -error : error;
          const double beyond = math::max(size - epsilon, 0.0);
          terms(i, j) = beyond * beyond;
          z(i, j) = error < 0 ? -2.0 * beyond : 2.0 * beyond;
        }
        terms(i, outputs) = 0.0;
      });
}

/// Huber's: error^2 / 2 up to delta, from there delta (|error| - delta / 2); T = outputs.
template <class Space>
void half_huber(const Space& space, ConstMatrix<Space> target, double delta, Matrix<Space> z,
                Matrix<Space> terms) {
  const std::size_t outputs = z.extent(1);
  Kokkos::parallel_for(
      "kernmill_half_huber", Range<Space>(space, 0, z.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          const double error = z(i, j) - target(i, j), size = error < 0 ? -error : error;
          terms(i, j) = size > delta ? delta * (size - 0.5 * delta) : 0.5 * error * error;
          if (size > delta)
            z(i, j) = error < 0 ? -delta : delta;
          else
            z(i, j) = error;
        }
        terms(i, outputs) = 0.0;
      });
}

/// Its second derivatives, by the gradient that it left: 1 within delta, else 0.
template <class Space>
void huber_curvature(const Space& space, double delta, ConstMatrix<Space> gradient, Matrix<Space> curvature) {
  const std::size_t columns = gradient.extent(1);
  Kokkos::parallel_for(
      "kernmill_huber_curvature", Range<Space>(space, 0, gradient.extent(0) * columns),
      KOKKOS_LAMBDA(const std::size_t index) {
        const std::size_t i = index / columns, j = index % columns;
        const double size = gradient(i, j) < 0 ? -gradient(i, j) : gradient(i, j);
        curvature(i, j) = size < delta ? 1.0 : 0.0;
      });
}

}  // namespace kernmill::kernels
