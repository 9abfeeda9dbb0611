#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/learn/train/objective.hpp"

namespace kernmill::tasks {

/// About the Hessian of a linear model, for conjugate gradients to begin from: of each output by itself, from
/// some 2 (features + 1) of the rows, which are picked by what they weigh, and in single precision (as Xu,
/// Yang, Roosta-Khorasani, Re and Mahoney, Sub-sampled Newton methods with non-uniform sampling, NeurIPS
/// 2016, pick them). Each output is one rank's, which gets its rows from all of them: the bits do not depend
/// on the number of ranks.
class SampledHessian {
 public:
  /// Whether its factors are small enough to be kept: 64 MiB of all ranks together.
  static bool fits(std::size_t parameters, std::size_t outputs);
  /// What a rank keeps at most: factors, and rows on their way; 0 where they do not fit.
  static double bytes(std::size_t parameters, std::size_t outputs, int ranks);

  SampledHessian(const Communicator& comm, Objective& objective)
      : comm_(comm), objective_(objective), penalties_(objective.penalties()) {}

  /// At the objective's last point `with_curvature`, whose diagonal is 1 / scale^2. Collective.
  void take(const std::vector<double>& scale);
  [[nodiscard]] bool is_there() const { return !scale_.empty(); }
  /// The inverse times this. Collective.
  [[nodiscard]] std::vector<double> solve(const std::vector<double>& residual) const;

 private:
  [[nodiscard]] std::size_t outputs() const { return objective_.outputs(); }
  [[nodiscard]] int owner(std::size_t output) const {
    return static_cast<int>(output % static_cast<std::size_t>(comm_.size()));
  }

  const Communicator& comm_;
  Objective& objective_;
  std::vector<double> penalties_, scale_;
  std::vector<std::vector<float>> factors_;  ///< of the outputs that are this rank's
};

}  // namespace kernmill::tasks
