#pragma once
#include <cstdint>
#include <limits>

namespace kernmill::tasks {

/// Where a method is, the same on every rank. What it does not know is NaN, or 0.
struct Progress {
  static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

  std::uint64_t step = 0;   ///< that are done: batches, or iterations of a full-batch method
  std::uint64_t steps = 0;  ///< of all of it
  std::uint64_t epoch = 0;  ///< that this step was in, counted from 1; 0: there are none
  std::uint64_t epochs = 0;
  bool ends_period = true;         ///< this step is the last of an epoch, or a whole iteration
  bool may_end_before = false;     ///< `steps` is the most that it takes
  double loss = unknown;           ///< a row's mean over the epoch so far; a full-batch method's objective
  double accuracy = unknown;       ///< of the rows of the epoch so far
  double held_out_loss = unknown;  ///< of the last epoch
  double rate = unknown;           ///< of learning
  double gradient_norm = unknown;
  double goal_norm = unknown;  ///< the gradient's at which it ends
  std::uint64_t rows = 0;      ///< gone over in all steps of this attempt
};

}  // namespace kernmill::tasks
