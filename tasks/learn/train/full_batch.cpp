#include "kernmill/tasks/learn/train/full_batch.hpp"

#include <cmath>
#include <deque>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/train/vectors.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using Values = std::vector<double>;

constexpr std::size_t settling = 5;  // iterations that have to gain something together

Values difference(const Values& x, const Values& y) {
  Values out = x;
  add_scaled(-1.0, y, out);
  return out;
}

/// A point with what the objective says of it.
struct Point {
  Values x;
  Evaluation at;
};

/// How low an iteration got.
struct Level {
  double value = 0, norm = 0;
};

class Lbfgs {
 public:
  Lbfgs(const OptimizerSettings& settings, Objective& objective, Session& session)
      : settings_(settings), objective_(objective), session_(session) {}

  Trained run(Values start);

 private:
  void begin(Values start);
  [[nodiscard]] Values direction() const;
  std::optional<Point> search(const Values& direction);
  void remember(const Point& next);
  [[nodiscard]] bool converged() const {
    return recent_.back().norm <= settings_.tolerance * first_norm_ || settled();
  }
  [[nodiscard]] bool settled() const;
  void note_level();
  [[nodiscard]] storage::Checkpoint state() const;
  void restore(const storage::Checkpoint& checkpoint, std::size_t parameters);
  void restore_recent(const Values& recent);
  [[nodiscard]] Progress progress() const;
  [[nodiscard]] std::string line() const;

  OptimizerSettings settings_;
  Objective& objective_;
  Session& session_;
  Point now_;
  double first_norm_ = 0;
  std::deque<Level> recent_;            ///< of this and the five iterations before, oldest first
  std::deque<Values> steps_, changes_;  ///< of x and of the gradient, oldest first
  std::uint64_t iteration_ = 0;
};

void Lbfgs::begin(Values start) {
  if (const auto checkpoint = session_.resume()) {
    restore(*checkpoint, start.size());
    return;
  }
  now_.x = std::move(start);
  now_.at = objective_(now_.x);
  session_.check_finite(now_.at.value, 0, "iteration");
  note_level();
  first_norm_ = recent_.back().norm;
}

void Lbfgs::note_level() {
  recent_.push_back({now_.at.value, norm(now_.at.gradient)});
  if (recent_.size() > settling + 1) recent_.pop_front();
}

bool Lbfgs::settled() const {
  if (settings_.objective_tolerance == 0 || recent_.size() <= settling) return false;
  const Level &before = recent_.front(), &now = recent_.back();
  return before.value - now.value <= settings_.objective_tolerance * std::abs(now.value) &&
         now.norm <= before.norm;
}

Trained Lbfgs::run(Values start) {
  begin(std::move(start));
  bool ended = converged();
  while (!ended && iteration_ < settings_.max_iterations) {
    std::optional<Point> next = search(direction());
    if (!next) break;  // rounding hides any lower point
    remember(*next);
    now_ = std::move(*next);
    note_level();
    ++iteration_;
    ended = converged() || iteration_ == settings_.max_iterations;
    session_.progress(ended, [&] { return line(); });
    session_.tell(progress());
    if (!ended) session_.after_step(iteration_, objective_.wishes(), [&] { return state(); });
  }
  return {now_.x, iteration_, 0};
}

Values Lbfgs::direction() const {
  Values q = now_.at.gradient;
  Values alpha(steps_.size());
  for (std::size_t i = steps_.size(); i-- > 0;) {
    alpha[i] = dot(steps_[i], q) / dot(steps_[i], changes_[i]);
    add_scaled(-alpha[i], changes_[i], q);
  }
  double scale = 1.0 / std::max(first_norm_, std::numeric_limits<double>::min());
  if (!steps_.empty()) scale = dot(steps_.back(), changes_.back()) / dot(changes_.back(), changes_.back());
  for (double& value : q) value *= scale;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    add_scaled(alpha[i] - dot(changes_[i], q) / dot(steps_[i], changes_[i]), steps_[i], q);
  }
  for (double& value : q) value = -value;
  return q;
}

std::optional<Point> Lbfgs::search(const Values& direction) {
  constexpr double armijo = 1e-4, curvature = 0.9, noise = 1e-13;
  const double value = now_.at.value, slope = dot(now_.at.gradient, direction);
  if (!(slope < 0)) return std::nullopt;
  double low = 0, high = std::numeric_limits<double>::infinity(), length = 1;
  for (int trial = 0; trial < 50; ++trial) {
    Point next{now_.x, {}};
    add_scaled(length, direction, next.x);
    next.at = objective_(next.x);
    const double next_slope = dot(next.at.gradient, direction);
    const bool lower =
        next.at.value <= value + armijo * length * slope ||
        (next.at.value <= value + noise * std::abs(value) && next_slope <= (2 * armijo - 1) * slope);
    if (!lower || !std::isfinite(next_slope)) {
      high = length;
    } else if (next_slope < curvature * slope) {
      low = length;
    } else {
      return next;
    }
    length = std::isinf(high) ? 2 * length : 0.5 * (low + high);
  }
  return std::nullopt;
}

void Lbfgs::remember(const Point& next) {
  Values step = difference(next.x, now_.x), change = difference(next.at.gradient, now_.at.gradient);
  if (!(dot(step, change) > 0)) return;
  steps_.push_back(std::move(step));
  changes_.push_back(std::move(change));
  if (steps_.size() <= settings_.history) return;
  steps_.pop_front();
  changes_.pop_front();
}

storage::Checkpoint Lbfgs::state() const {
  storage::Checkpoint checkpoint;
  checkpoint.tensors = {vector_tensor("parameters", now_.x), vector_tensor("gradient", now_.at.gradient),
                        vector_tensor("scalars", {now_.at.value, first_norm_})};
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    checkpoint.tensors.push_back(vector_tensor(fmt::format("step_{}", i), steps_[i]));
    checkpoint.tensors.push_back(vector_tensor(fmt::format("change_{}", i), changes_[i]));
  }
  Values recent;
  for (const Level& level : recent_) recent.insert(recent.end(), {level.value, level.norm});
  checkpoint.tensors.push_back(vector_tensor("recent", recent));
  return checkpoint;
}

void Lbfgs::restore(const storage::Checkpoint& checkpoint, std::size_t parameters) {
  iteration_ = checkpoint.step;
  now_.x = values_of(checkpoint.tensors, "parameters", parameters);
  now_.at.gradient = values_of(checkpoint.tensors, "gradient", parameters);
  const Values scalars = values_of(checkpoint.tensors, "scalars", 2);
  now_.at.value = scalars.at(0);
  first_norm_ = scalars.at(1);
  restore_recent(holds(checkpoint.tensors, "recent") ? values_of(checkpoint.tensors, "recent") : Values{});
  for (std::size_t i = 0; holds(checkpoint.tensors, fmt::format("step_{}", i)); ++i) {
    steps_.push_back(values_of(checkpoint.tensors, fmt::format("step_{}", i), parameters));
    changes_.push_back(values_of(checkpoint.tensors, fmt::format("change_{}", i), parameters));
  }
}

// Not there in checkpoints from before; of somebody else's, as many as are of use.
void Lbfgs::restore_recent(const Values& recent) {
  for (std::size_t i = 0; i + 1 < recent.size() && recent_.size() <= settling; i += 2)
    recent_.push_back({recent[i], recent[i + 1]});
  if (recent_.empty()) note_level();
}

Progress Lbfgs::progress() const {
  Progress now;
  now.step = iteration_;
  now.steps = settings_.max_iterations;
  now.may_end_before = true;
  now.loss = now_.at.value;
  now.gradient_norm = recent_.back().norm;
  now.goal_norm = settings_.tolerance * first_norm_;
  return now;
}

std::string Lbfgs::line() const {
  return fmt::format("iteration {} objective {:.10g} gradient {:.3g}", iteration_, now_.at.value,
                     recent_.back().norm);
}

}  // namespace

Trained minimize_lbfgs(const OptimizerSettings& settings, Objective& objective, Values start,
                       Session& session) {
  return Lbfgs(settings, objective, session).run(std::move(start));
}

Trained descend(const OptimizerSettings& settings, double step_weight, Objective& objective, Values start,
                Session& session) {
  Trained trained{std::move(start), 0, 0};
  if (const auto checkpoint = session.resume()) {
    trained.iterations = checkpoint->step;
    trained.parameters = values_of(checkpoint->tensors, "parameters", trained.parameters.size());
  }
  while (trained.iterations < settings.max_iterations) {
    const Evaluation at = objective(trained.parameters);
    session.check_finite(at.value, trained.iterations, "step");
    add_scaled(-settings.learning_rate * step_weight, at.gradient, trained.parameters);
    const std::uint64_t step = ++trained.iterations;
    const bool last = step == settings.max_iterations;
    session.progress(last, [&] {
      return fmt::format("step {}/{} objective {:.10g}", step, settings.max_iterations, at.value);
    });
    Progress now;
    now.step = step;
    now.steps = settings.max_iterations;
    now.loss = at.value;
    session.tell(now);
    if (last) break;
    session.after_step(step, objective.wishes(), [&] {
      storage::Checkpoint checkpoint;
      checkpoint.tensors = {vector_tensor("parameters", trained.parameters)};
      return checkpoint;
    });
  }
  return trained;
}

}  // namespace kernmill::tasks
