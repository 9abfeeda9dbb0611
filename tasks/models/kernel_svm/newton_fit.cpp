#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/models/kernel_svm/newton.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using Values = std::vector<double>;

constexpr std::uint64_t most_newton_steps = 100, most_conjugate_steps = 200;
constexpr double conjugate_tolerance =
    0.1;  // of the gradient: more exact directions cost more than they gain

class HingeNewton {
 public:
  HingeNewton(Session& session, SquaredHinge& loss, std::size_t features, std::size_t classes,
              double tolerance)
      : session_(session), loss_(loss), features_(features), classes_(classes), tolerance_(tolerance) {}
  HingeMinimum run();

 private:
  void begin();
  void look();
  [[nodiscard]] Values direction();
  bool move_along(const Values& direction);
  /// Of each class.
  [[nodiscard]] Values dots(const Values& x, const Values& y) const;
  [[nodiscard]] std::vector<bool> open() const;

  Session& session_;
  SquaredHinge& loss_;
  std::size_t features_, classes_;
  double tolerance_;
  Values point_, gradient_, objectives_, first_norms_;
  double right_ = 0;
  std::uint64_t iteration_ = 0;
};

Values HingeNewton::dots(const Values& x, const Values& y) const {
  Values sums(classes_, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i) sums[i % classes_] += x[i] * y[i];
  return sums;
}

void HingeNewton::look() {
  SquaredHinge::At at = loss_.move_to(point_);
  gradient_ = std::move(at.gradient);
  for (std::size_t i = 0; i < gradient_.size(); ++i) gradient_[i] += point_[i];
  objectives_ = dots(point_, point_);
  for (std::size_t k = 0; k < classes_; ++k) objectives_[k] = objectives_[k] / 2 + at.losses[k];
  right_ = at.right;
}

void HingeNewton::begin() {
  point_.assign(features_ * classes_, 0.0);
  if (const auto checkpoint = session_.resume()) {
    point_ = values_of(checkpoint->tensors, "weights", point_.size());
    first_norms_ = values_of(checkpoint->tensors, "first_norms", classes_);
    iteration_ = checkpoint->step;
    look();
    return;
  }
  look();
  first_norms_ = dots(gradient_, gradient_);
  for (double& norm : first_norms_) norm = std::sqrt(norm);
}

std::vector<bool> HingeNewton::open() const {
  const Values squares = dots(gradient_, gradient_);
  std::vector<bool> open(classes_);
  for (std::size_t k = 0; k < classes_; ++k) open[k] = std::sqrt(squares[k]) > tolerance_ * first_norms_[k];
  return open;
}

/// Of the classes that are not at their minimum yet; zeros for the others.
Values HingeNewton::direction() {
  std::vector<bool> active = open();
  Values direction(point_.size(), 0.0), residual(point_.size(), 0.0);
  for (std::size_t i = 0; i < residual.size(); ++i)
    if (active[i % classes_]) residual[i] = -gradient_[i];
  Values search = residual, squares = dots(residual, residual);
  const Values first = squares;
  for (std::uint64_t step = 0;
       step < most_conjugate_steps && std::count(active.begin(), active.end(), true) > 0; ++step) {
    Values curved = loss_.curve(search);
    for (std::size_t i = 0; i < curved.size(); ++i) curved[i] += search[i];
    const Values bends = dots(search, curved);
    for (std::size_t i = 0; i < curved.size(); ++i) {
      const std::size_t k = i % classes_;
      if (!active[k]) continue;
      const double length = squares[k] / bends[k];
      direction[i] += length * search[i];
      residual[i] -= length * curved[i];
    }
    const Values now = dots(residual, residual);
    for (std::size_t i = 0; i < search.size(); ++i) {
      const std::size_t k = i % classes_;
      search[i] = active[k] ? residual[i] + now[k] / squares[k] * search[i] : 0.0;
    }
    for (std::size_t k = 0; k < classes_; ++k) {
      if (active[k]) squares[k] = now[k];
      if (std::sqrt(now[k]) <= conjugate_tolerance * std::sqrt(first[k])) active[k] = false;
    }
    for (std::size_t i = 0; i < search.size(); ++i)
      if (!active[i % classes_]) search[i] = 0;
  }
  return direction;
}

/// Halves the steps until they lower the objectives (Armijo). Returns whether any class got lower.
bool HingeNewton::move_along(const Values& direction) {
  constexpr double armijo = 1e-4;
  loss_.look_along(direction);
  const Values slopes = dots(gradient_, direction), along = dots(point_, direction);
  const Values lengths = dots(direction, direction), here = dots(point_, point_);
  Values steps(classes_, 1.0);
  for (std::size_t k = 0; k < classes_; ++k)
    if (!(slopes[k] < 0)) steps[k] = 0;
  for (int trial = 0; trial < 40; ++trial) {
    const Values losses = loss_.losses_at(steps);
    bool shorter = false;
    for (std::size_t k = 0; k < classes_; ++k) {
      const double t = steps[k];
      const double value = (here[k] + 2 * t * along[k] + t * t * lengths[k]) / 2 + losses[k];
      if (t == 0 || value <= objectives_[k] + armijo * t * slopes[k]) continue;
      steps[k] = trial < 39 ? t / 2 : 0;  // rounding hides any lower point
      shorter = true;
    }
    if (!shorter) break;
  }
  for (std::size_t i = 0; i < point_.size(); ++i) point_[i] += steps[i % classes_] * direction[i];
  return std::any_of(steps.begin(), steps.end(), [](double step) { return step > 0; });
}

HingeMinimum HingeNewton::run() {
  begin();
  bool ended = false;
  while (!ended) {
    const auto left = open();
    const auto count = std::count(left.begin(), left.end(), true);
    double objective = 0;
    for (const double value : objectives_) objective += value;
    session_.check_finite(objective, iteration_, "iteration");
    session_.progress(count == 0, [&] {
      return fmt::format("iteration {} objective {:.10g}, {} of {} classes left", iteration_, objective,
                         count, classes_);
    });
    if (count == 0 || iteration_ == most_newton_steps) break;
    ended = !move_along(direction());
    look();
    ++iteration_;
    if (!ended)
      session_.after_step(iteration_, loss_.wishes(), [&] {
        storage::Checkpoint checkpoint;
        checkpoint.tensors = {vector_tensor("weights", point_), vector_tensor("first_norms", first_norms_)};
        return checkpoint;
      });
  }
  return {point_, objectives_, right_, iteration_};
}

}  // namespace

HingeMinimum minimize_hinge(Session& session, SquaredHinge& loss, std::size_t features, std::size_t classes,
                            double tolerance) {
  return HingeNewton(session, loss, features, classes, tolerance).run();
}

}  // namespace kernmill::tasks
