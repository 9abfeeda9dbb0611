#include "kernmill/tasks/learn/train/interior_point.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/learn/train/cholesky.hpp"
#include "kernmill/tasks/learn/train/line_search.hpp"
#include "kernmill/tasks/learn/train/vectors.hpp"
#include "kernmill/tasks/models/tensors.hpp"

namespace kernmill::tasks {
namespace {

using Values = std::vector<double>;

class CentralPath {
 public:
  CentralPath(const OptimizerSettings& settings, Objective& objective, Session& session)
      : settings_(settings), objective_(objective), session_(session) {}

  Trained run(Values x);

 private:
  [[nodiscard]] Values direction(const Values& gradient);
  [[nodiscard]] bool is_central(const Values& slopes) const;
  /// By how much the objective of a point on the path is above the minimum, at most: each row and output has
  /// up to two pairs of a slack and a multiplier for each of up to two corners.
  [[nodiscard]] double gap() const { return 4 * smoothing_ * objective_.weight_of_all(); }

  OptimizerSettings settings_;
  Objective& objective_;
  Session& session_;
  double smoothing_ = 1;
};

/// Newton's, block by block.
Values CentralPath::direction(const Values& gradient) {
  const Values hessians = objective_.hessians();
  const std::size_t blocks = objective_.blocks(), width = gradient.size() / blocks, square = width * width;
  Values out(gradient.size());
  for (std::size_t j = 0; j < blocks; ++j) {
    const auto at = hessians.begin() + static_cast<std::ptrdiff_t>(j * square);
    const SymmetricMatrix hessian{width, Values(at, at + static_cast<std::ptrdiff_t>(square))};
    Values b(width);
    for (std::size_t i = 0; i < width; ++i) b[i] = -gradient[i * blocks + j];
    solve_positive(hessian, b);
    for (std::size_t i = 0; i < width; ++i) out[i * blocks + j] = b[i];
  }
  return out;
}

/// Whether one more step of Newton's is as good as the point of the path, for every block.
bool CentralPath::is_central(const Values& slopes) const {
  constexpr double near = 0.1;
  const double unit = smoothing_ * objective_.weight_of_all() / static_cast<double>(objective_.rows());
  return std::all_of(slopes.begin(), slopes.end(), [&](double slope) {
    return -slope <= near * unit / static_cast<double>(slopes.size());
  });
}

Trained CentralPath::run(Values x) {
  constexpr double shrink = 0.1;
  Trained trained;
  if (const auto checkpoint = session_.resume()) {
    trained.iterations = checkpoint->step;
    x = values_of(checkpoint->tensors, "parameters", x.size());
    smoothing_ = values_of(checkpoint->tensors, "smoothing", 1).front();
  }
  for (bool ended = false; !ended && trained.iterations < settings_.max_iterations;) {
    objective_.smooth(smoothing_);
    const Evaluation at = objective_.with_curvature(x);
    session_.check_finite(at.value, trained.iterations, "iteration");
    const Values step = direction(at.gradient);
    const Values slopes = dot(at.gradient, step, objective_.blocks());
    const bool central = is_central(slopes);
    const Values values = objective_.values_of_blocks(at, x);
    const Values lengths =
        central ? Values(slopes.size(), 1.0) : search_lengths(objective_, {x, values, slopes}, step);
    const bool stuck = std::all_of(lengths.begin(), lengths.end(), [](double length) { return length == 0; });
    add_scaled(lengths, step, x);
    ++trained.iterations;
    trained.duality_gap = gap();
    const bool arrived = central || stuck;
    ended = (arrived && gap() <= settings_.objective_tolerance * std::abs(at.value)) ||
            trained.iterations == settings_.max_iterations;
    session_.progress(ended, [&] {
      return fmt::format("iteration {} objective {:.10g} gap {:.3g}", trained.iterations, at.value, gap());
    });
    session_.tell(Progress{.step = trained.iterations,
                           .steps = settings_.max_iterations,
                           .may_end_before = true,
                           .loss = at.value});
    if (ended) break;
    if (arrived) smoothing_ *= shrink;
    session_.after_step(trained.iterations, objective_.wishes(), [&] {
      storage::Checkpoint checkpoint;
      checkpoint.tensors = {vector_tensor("parameters", x), vector_tensor("smoothing", {smoothing_})};
      return checkpoint;
    });
  }
  objective_.smooth(0);
  trained.parameters = std::move(x);
  return trained;
}

}  // namespace

Trained follow_central_path(const OptimizerSettings& settings, Objective& objective, Values start,
                            Session& session) {
  return CentralPath(settings, objective, session).run(std::move(start));
}

}  // namespace kernmill::tasks
