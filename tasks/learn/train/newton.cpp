#include "kernmill/tasks/learn/train/newton.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "kernmill/tasks/learn/train/line_search.hpp"
#include "kernmill/tasks/learn/train/sampled_hessian.hpp"
#include "kernmill/tasks/learn/train/vectors.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using Values = std::vector<double>;

Values product_of(const Values& x, const Values& y) {
  Values out(x.size());
  std::transform(x.begin(), x.end(), y.begin(), out.begin(), std::multiplies<>());
  return out;
}

class Newton {
 public:
  Newton(const OptimizerSettings& settings, Objective& objective, Session& session)
      : settings_(settings),
        objective_(objective),
        session_(session),
        blocks_(objective.blocks()),
        hessian_(session.comm(), objective) {}

  Trained run(Values start);

 private:
  void begin(Values start);
  void resume(const storage::Checkpoint& checkpoint);
  void look();
  void take_diagonal();
  [[nodiscard]] bool is_worth_sampling() const;
  [[nodiscard]] Values preconditioned(const Values& residual) const {
    return hessian_.is_there() ? hessian_.solve(residual) : product_of(product_of(scale_, scale_), residual);
  }
  [[nodiscard]] bool is_flat(std::size_t block) const {
    return norms_[block] <= settings_.tolerance * first_norms_[block];
  }
  [[nodiscard]] bool all_flat() const;
  Values direction();
  Values product(const Values& direction);
  bool advance(const Values& direction);
  [[nodiscard]] storage::Checkpoint state() const {
    storage::Checkpoint checkpoint;
    checkpoint.tensors = {vector_tensor("parameters", x_), vector_tensor("first_norms", first_norms_),
                          vector_tensor("products_since", {static_cast<double>(since_)})};
    if (hessian_.is_there()) checkpoint.tensors.push_back(vector_tensor("sampled_at", sampled_at_));
    return checkpoint;
  }
  [[nodiscard]] std::string line() const {
    return fmt::format("iteration {} objective {:.10g} gradient {:.3g}, {} products", iteration_, at_.value,
                       norm(at_.gradient), products_);
  }

  OptimizerSettings settings_;
  Objective& objective_;
  Session& session_;
  std::size_t blocks_;
  Values x_;
  Evaluation at_;
  Values values_, norms_;  ///< of each block, there: its objective, and its gradient's norm
  SampledHessian hessian_;
  Values scale_;             ///< of each variable: 1 / sqrt of the Hessian's diagonal, until that is sampled
  Values sampled_at_;        ///< where it was; empty: not yet
  std::uint64_t since_ = 0;  ///< products in the directions since then
  Values first_norms_;
  std::uint64_t iteration_ = 0, products_ = 0;
};

bool Newton::all_flat() const {
  for (std::size_t j = 0; j < blocks_; ++j)
    if (!is_flat(j)) return false;
  return true;
}

/// What there is to know of the point x_.
void Newton::look() {
  at_ = objective_.with_curvature(x_);
  session_.check_finite(at_.value, iteration_, "iteration");
  values_ = objective_.values_of_blocks(at_, x_);
  norms_ = dot(at_.gradient, at_.gradient, blocks_);
  for (double& value : norms_) value = std::sqrt(value);
  const bool samples = is_worth_sampling();
  if (hessian_.is_there() && !samples) return;
  take_diagonal();
  if (!samples) return;
  hessian_.take(scale_);
  sampled_at_ = x_;
  since_ = 0;
}

void Newton::take_diagonal() {
  scale_ = objective_.diagonal();
  for (double& value : scale_) value = value > 0 ? 1 / std::sqrt(value) : 1.0;
}

/// Whether products have taken more time than a sample, which takes about that of so many.
bool Newton::is_worth_sampling() const {
  const std::size_t width = x_.size() / objective_.outputs();
  return since_ > 4 + width * width / (4 * objective_.rows()) &&
         SampledHessian::fits(x_.size(), objective_.outputs());
}

/// The Hessian is sampled where it was. What is not there is of a run that began before it was sampled.
void Newton::resume(const storage::Checkpoint& checkpoint) {
  iteration_ = checkpoint.step;
  if (!holds(checkpoint.tensors, "products_since")) return;
  since_ = static_cast<std::uint64_t>(values_of(checkpoint.tensors, "products_since", 1).front());
  if (!holds(checkpoint.tensors, "sampled_at")) return;
  sampled_at_ = values_of(checkpoint.tensors, "sampled_at", x_.size());
  (void)objective_.with_curvature(sampled_at_);
  take_diagonal();
  hessian_.take(scale_);
}

void Newton::begin(Values start) {
  const auto checkpoint = session_.resume();
  x_ = checkpoint ? values_of(checkpoint->tensors, "parameters", start.size()) : std::move(start);
  if (checkpoint) resume(*checkpoint);
  look();
  first_norms_ = checkpoint ? values_of(checkpoint->tensors, "first_norms", blocks_) : norms_;
}

// A step may take a hundred products: a request to stop is not kept waiting for all of them. What the step
// has done so far is done again.
Values Newton::product(const Values& direction) {
  Values out = objective_.product(direction);
  ++products_;
  if ((objective_.wishes() & wish_to_stop) != 0)
    session_.after_step(iteration_, objective_.wishes(), [&] { return state(); });
  return out;
}

/// By preconditioned conjugate gradients, those of all blocks in step.
Values Newton::direction() {
  constexpr double forcing = 0.1;
  Values s(x_.size(), 0.0), residual = at_.gradient;
  for (double& value : residual) value = -value;
  Values conjugate = preconditioned(residual), rr = dot(residual, conjugate, blocks_), enough(blocks_);
  const std::uint64_t before = products_;
  for (std::size_t j = 0; j < blocks_; ++j) enough[j] = is_flat(j) ? rr[j] : forcing * forcing * rr[j];
  std::vector<char> done(blocks_, 0);
  for (std::size_t i = 0; i < 10 * x_.size(); ++i) {
    for (std::size_t j = 0; j < blocks_; ++j) done[j] = done[j] != 0 || !(rr[j] > enough[j]) ? 1 : 0;
    if (std::all_of(done.begin(), done.end(), [](char is) { return is != 0; })) break;
    for (std::size_t k = 0; k < conjugate.size(); ++k)
      if (done[k % blocks_] != 0) conjugate[k] = 0;
    const Values curved = product(conjugate), along = dot(conjugate, curved, blocks_);
    Values forth(blocks_, 0.0), back(blocks_, 0.0), turn(blocks_, 0.0);
    for (std::size_t j = 0; j < blocks_; ++j) {
      if (done[j] == 0 && !(along[j] > 0)) done[j] = 1;  // flat that way, as far as rounding tells
      if (done[j] == 0) forth[j] = rr[j] / along[j];
      back[j] = -forth[j];
    }
    add_scaled(forth, conjugate, s);
    add_scaled(back, curved, residual);
    const Values steep = preconditioned(residual), now = dot(residual, steep, blocks_);
    for (std::size_t j = 0; j < blocks_; ++j) turn[j] = done[j] != 0 ? 0.0 : now[j] / rr[j];
    for (std::size_t k = 0; k < conjugate.size(); ++k)
      conjugate[k] = steep[k] + turn[k % blocks_] * conjugate[k];
    rr = now;
  }
  since_ += products_ - before;
  return s;
}

/// Goes along the direction. Returns whether there is no more to gain.
bool Newton::advance(const Values& direction) {
  const Values slopes = dot(at_.gradient, direction, blocks_);
  bool ended = true;
  for (std::size_t j = 0; j < blocks_; ++j)
    if (-0.5 * slopes[j] > settings_.objective_tolerance * std::abs(values_[j])) ended = false;
  const Values lengths = search_lengths(objective_, {x_, values_, slopes}, direction);
  if (std::all_of(lengths.begin(), lengths.end(), [](double length) { return length == 0; })) return true;
  add_scaled(lengths, direction, x_);
  look();
  return ended || all_flat();
}

Trained Newton::run(Values start) {
  begin(std::move(start));
  bool ended = all_flat();
  while (!ended && iteration_ < settings_.max_iterations) {
    ended = advance(direction());
    ++iteration_;
    ended = ended || iteration_ == settings_.max_iterations;
    session_.progress(ended, [&] { return line(); });
    session_.tell(Progress{
        .step = iteration_, .steps = settings_.max_iterations, .may_end_before = true, .loss = at_.value});
    if (!ended) session_.after_step(iteration_, objective_.wishes(), [&] { return state(); });
  }
  return {x_, iteration_, 0};
}

}  // namespace

Trained minimize_newton(const OptimizerSettings& settings, Objective& objective, Values start,
                        Session& session) {
  return Newton(settings, objective, session).run(std::move(start));
}

}  // namespace kernmill::tasks
