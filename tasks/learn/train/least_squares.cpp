#include "kernmill/tasks/learn/train/least_squares.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/learn/train/cholesky.hpp"
#include "kernmill/tasks/learn/train/vectors.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using Values = std::vector<double>;

/// min 1/2 w' G w - q' w + 1/2 y'y + alpha |w|_1 + beta / 2 ||w||^2 of each target: half of the summed
/// squared error and the penalties that go with it. A free bias is taken out by the mean; a regularised one
/// is the last variable.
struct Normal {
  SymmetricMatrix gram;
  std::vector<Values> q;  ///< of each target
  Values yy;
  Values nothing;  ///< what rounding leaves of a constant column, at most
  double alpha = 0, beta = 0;
};

Normal normal_of(const LeastSquares& problem, const Moments& moments) {
  const std::size_t features = moments.features, variables = features + (problem.penalize_bias ? 1 : 0);
  const double rows = moments.rows, terms = rows * static_cast<double>(moments.targets);
  const auto mean = [&](std::size_t i) {  // that the bias has to be told of
    return !problem.penalize_bias ? 0.0 : i < moments.width() ? moments.mean[i] : 1.0;
  };
  const auto deviation = [&](std::size_t i, std::size_t j) {
    return i < moments.width() && j < moments.width() ? moments.product(i, j) : 0.0;
  };
  const auto column = [&](std::size_t variable) { return variable < features ? variable : moments.width(); };
  Normal normal;
  normal.alpha = 0.5 * problem.l1 * terms;
  normal.beta = problem.l2 * terms;
  normal.gram = {variables, Values(variables * variables)};
  for (std::size_t i = 0; i < variables; ++i)
    for (std::size_t j = 0; j < variables; ++j)
      normal.gram.at(i, j) = deviation(column(i), column(j)) + rows * mean(column(i)) * mean(column(j));
  for (std::size_t i = 0; i < variables; ++i) {
    constexpr double rounding = 16 * std::numeric_limits<double>::epsilon();
    const double at = i < features ? rounding * moments.mean[i] : 0.0;
    normal.nothing.push_back(rows * at * at);
  }
  for (std::size_t t = 0; t < moments.targets; ++t) {
    const std::size_t y = features + t;
    normal.q.emplace_back(variables);
    for (std::size_t i = 0; i < variables; ++i)
      normal.q.back()[i] = deviation(column(i), y) + rows * mean(column(i)) * mean(y);
    normal.yy.push_back(deviation(y, y) + rows * mean(y) * mean(y));
  }
  return normal;
}

/// As the network lays them out: weights by feature and target, then the biases.
Values parameters_of_solutions(const LeastSquares& problem, const Moments& moments,
                               const std::vector<Values>& solutions) {
  const std::size_t features = moments.features, targets = moments.targets;
  Values parameters((features + 1) * targets);
  for (std::size_t t = 0; t < targets; ++t) {
    double bias = problem.penalize_bias ? solutions[t][features] : moments.mean[features + t];
    for (std::size_t i = 0; i < features; ++i) {
      parameters[i * targets + t] = solutions[t][i];
      if (!problem.penalize_bias) bias -= moments.mean[i] * solutions[t][i];
    }
    parameters[features * targets + t] = bias;
  }
  return parameters;
}

std::string told(const Dependence& dependence, const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  constexpr double small = 1e-9;
  std::vector<std::string> others;
  for (const auto& [other, factor] : dependence.others)
    if (std::abs(factor) > small) others.push_back(names.at(other));
  if (others.empty()) return fmt::format("'{}' is constant", names.at(dependence.variable));
  const std::size_t more = others.size() > most ? others.size() - most : 0;
  others.resize(std::min(others.size(), most));
  return fmt::format("'{}' follows from {}{}", names.at(dependence.variable), fmt::join(others, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

void warn_of(const std::vector<Dependence>& dependences, std::vector<std::string> names) {
  constexpr std::size_t most = 5;
  names.emplace_back("the bias");
  std::vector<std::string> each;
  for (std::size_t i = 0; i < std::min(most, dependences.size()); ++i)
    each.push_back(told(dependences[i], names));
  if (dependences.size() > most) each.push_back(fmt::format("{} more", dependences.size() - most));
  fmt::print(
      stderr,
      "warning: the columns do not tell all weights apart: {}. Of all solutions this is the one of the "
      "smallest weights; drop these columns, or give an l2, for weights that mean something\n",
      fmt::join(each, "; "));
}

/// Of one target.
class Coordinates {
 public:
  Coordinates(const Normal& normal, std::size_t target)
      : normal_(normal), q_(normal.q[target]), yy_(normal.yy[target]) {}

  /// Moves each coordinate of w to its minimum, h = G w with it.
  void sweep(Values& w, Values& h) const {
    const std::size_t size = w.size();
    for (std::size_t i = 0; i < size; ++i) {
      const double curvature = normal_.gram.at(i, i) + normal_.beta;
      if (!(normal_.gram.at(i, i) > normal_.nothing[i])) continue;
      const double pull = q_[i] - h[i] + normal_.gram.at(i, i) * w[i];
      const double next = std::copysign(std::max(std::abs(pull) - normal_.alpha, 0.0), pull) / curvature;
      if (const double change = next - w[i]; change != 0) {
        for (std::size_t j = 0; j < size; ++j) h[j] += change * normal_.gram.at(i, j);
        w[i] = next;
      }
    }
  }

  struct Gap {
    double gap = 0, objective = 0;
  };
  /// With the dual point that the residual gives once it is scaled to be feasible.
  [[nodiscard]] Gap gap(const Values& w, const Values& h) const {
    const double alpha = normal_.alpha, beta = normal_.beta;
    double steepest = 0, sizes = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      steepest = std::max(steepest, std::abs(q_[i] - h[i] - beta * w[i]));
      sizes += std::abs(w[i]);
    }
    const double qw = dot(q_, w), ww = dot(w, w), rr = yy_ - 2 * qw + dot(w, h);
    const double shrink = steepest > alpha ? alpha / steepest : 1.0;
    const double objective = 0.5 * rr + alpha * sizes + 0.5 * beta * ww;
    const double dual = shrink * (yy_ - qw) - 0.5 * shrink * shrink * (rr + beta * ww);
    return {objective - dual, objective};
  }

 private:
  const Normal& normal_;
  const Values& q_;
  double yy_;
};

/// What any rank wants of the session: there is no sum that it could travel with.
unsigned wishes_of_all(const Session& session) {
  const unsigned own = session.wishes();
  std::array<int, 3> bits{};
  for (std::size_t i = 0; i < bits.size(); ++i) bits.at(i) = (own >> i) & 1U ? 1 : 0;
  session.comm().allreduce(std::span<int>(bits), Reduction::max);
  unsigned all = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) all |= static_cast<unsigned>(bits.at(i)) << i;
  return all;
}

}  // namespace

Trained solve_least_squares(const LeastSquares& problem, const Moments& moments,
                            const std::vector<std::string>& features, const Session& session) {
  Normal normal = normal_of(problem, moments);
  for (std::size_t i = 0; i < normal.gram.size; ++i) normal.gram.at(i, i) += normal.beta;
  const Cholesky factor(normal.gram, normal.nothing);
  if (session.comm().is_root() && !factor.dependences().empty()) warn_of(factor.dependences(), features);
  std::vector<Values> solutions;
  for (const Values& q : normal.q) solutions.push_back(factor.solve(q));
  Trained trained{parameters_of_solutions(problem, moments, solutions), 1};
  trained.dependent_columns = factor.dependences().size();
  return trained;
}

Trained descend_coordinates(const OptimizerSettings& settings, const LeastSquares& problem,
                            const Moments& moments, Session& session) {
  const Normal normal = normal_of(problem, moments);
  const std::size_t size = normal.gram.size, targets = moments.targets;
  std::vector<Values> w(targets, Values(size, 0.0)), h = w;
  Trained trained;
  if (const auto checkpoint = session.resume()) {
    trained.iterations = checkpoint->step;
    for (std::size_t t = 0; t < targets; ++t) {
      w[t] = values_of(checkpoint->tensors, fmt::format("weights_{}", t), size);
      h[t] = values_of(checkpoint->tensors, fmt::format("products_{}", t), size);
    }
  }
  for (bool ended = false; !ended && trained.iterations < settings.max_iterations;) {
    Coordinates::Gap all;
    for (std::size_t t = 0; t < targets; ++t) {
      const Coordinates coordinates(normal, t);
      coordinates.sweep(w[t], h[t]);
      const auto [gap, objective] = coordinates.gap(w[t], h[t]);
      all.gap += gap;
      all.objective += objective;
    }
    ++trained.iterations;
    trained.duality_gap = 2 * all.gap / (moments.rows * static_cast<double>(targets));
    session.check_finite(all.objective, trained.iterations, "sweep");
    ended = all.gap <= settings.objective_tolerance * std::abs(all.objective) ||
            trained.iterations == settings.max_iterations;
    session.progress(ended, [&] {
      return fmt::format("sweep {} duality gap {:.3g}", trained.iterations, *trained.duality_gap);
    });
    if (ended) break;
    session.after_step(trained.iterations, wishes_of_all(session), [&] {
      storage::Checkpoint checkpoint;
      for (std::size_t t = 0; t < targets; ++t) {
        checkpoint.tensors.push_back(vector_tensor(fmt::format("weights_{}", t), w[t]));
        checkpoint.tensors.push_back(vector_tensor(fmt::format("products_{}", t), h[t]));
      }
      return checkpoint;
    });
  }
  trained.parameters = parameters_of_solutions(problem, moments, w);
  return trained;
}

}  // namespace kernmill::tasks
