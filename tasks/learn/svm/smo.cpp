#include "kernmill/tasks/learn/svm/smo.hpp"

#include <algorithm>
#include <limits>

namespace kernmill::tasks {
namespace {

constexpr std::size_t none = std::numeric_limits<std::size_t>::max();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double least_curvature = 1e-12;  // of rows that a kernel does not tell apart: libsvm's tau

class Smo {
 public:
  explicit Smo(Subproblem& problem)
      : p_(problem), n_(problem.alpha.size()), diagonal_(n_), up_(n_), low_(n_) {
    for (std::size_t i = 0; i < n_; ++i) {
      diagonal_[i] = row(i)[i];
      set_bounds(i);
    }
  }
  bool step(double tolerance);

 private:
  [[nodiscard]] const double* row(std::size_t i) const { return p_.kernel.data() + i * n_; }
  /// What a variable says of the bias: one that may rise (times its sign) no more than one that may fall.
  [[nodiscard]] double level(std::size_t i) const { return -p_.signs[i] * p_.gradient[i]; }
  void set_bounds(std::size_t i);
  [[nodiscard]] double curvature(std::size_t i, std::size_t j) const {
    return std::max(diagonal_[i] + diagonal_[j] - 2 * row(i)[j], least_curvature);
  }
  void move(std::size_t i, std::size_t j);

  Subproblem& p_;
  std::size_t n_;
  std::vector<double> diagonal_;
  std::vector<char> up_, low_;  ///< whether s_i a_i may rise, or fall
};

void Smo::set_bounds(std::size_t i) {
  const bool may_rise = p_.alpha[i]<p_.limits[i], may_fall = p_.alpha[i]> 0;
  up_[i] = static_cast<char>(p_.signs[i] > 0 ? may_rise : may_fall);
  low_[i] = static_cast<char>(p_.signs[i] > 0 ? may_fall : may_rise);
}

bool Smo::step(double tolerance) {
  std::size_t i = none, j = none;
  double highest = -infinity, lowest = infinity, best = -infinity;
  for (std::size_t t = 0; t < n_; ++t) {
    if (up_[t] != 0 && level(t) > highest) {
      highest = level(t);
      i = t;
    }
  }
  if (i == none) return false;
  for (std::size_t t = 0; t < n_; ++t) {
    if (low_[t] == 0) continue;
    const double gap = highest - level(t);
    lowest = std::min(lowest, level(t));
    if (gap > 0 && gap * gap / curvature(i, t) > best) {
      best = gap * gap / curvature(i, t);
      j = t;
    }
  }
  if (j == none || highest - lowest <= tolerance) return false;
  move(i, j);
  return true;
}

void Smo::move(std::size_t i, std::size_t j) {
  const double room_i = p_.signs[i] > 0 ? p_.limits[i] - p_.alpha[i] : p_.alpha[i];
  const double room_j = p_.signs[j] > 0 ? p_.alpha[j] : p_.limits[j] - p_.alpha[j];
  const double length = std::min({(level(i) - level(j)) / curvature(i, j), room_i, room_j});
  // One that comes to its bound is put there: what is left would be rounding.
  const double bound_i = p_.signs[i] > 0 ? p_.limits[i] : 0, bound_j = p_.signs[j] > 0 ? 0 : p_.limits[j];
  p_.alpha[i] = length == room_i ? bound_i : p_.alpha[i] + p_.signs[i] * length;
  p_.alpha[j] = length == room_j ? bound_j : p_.alpha[j] - p_.signs[j] * length;
  set_bounds(i);
  set_bounds(j);
  const double *row_i = row(i), *row_j = row(j);
  for (std::size_t t = 0; t < n_; ++t) p_.gradient[t] += p_.signs[t] * length * (row_i[t] - row_j[t]);
}

}  // namespace

std::uint64_t solve(Subproblem& problem, double tolerance, std::uint64_t most) {
  Smo smo(problem);
  std::uint64_t iterations = 0;
  while (iterations < most && smo.step(tolerance)) ++iterations;
  return iterations;
}

}  // namespace kernmill::tasks
