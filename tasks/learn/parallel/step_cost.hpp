#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/parallel/batch_cuts.hpp"
#include "kernmill/tasks/learn/parallel/layout.hpp"
#include "kernmill/tasks/learn/parallel/loggp.hpp"

namespace kernmill::tasks {

/// What a training runs on: how ranks talk, and how fast one computes that has a core of its own. Seconds.
struct Machine {
  Link near, far;  ///< between ranks of one node, and of two
  std::uint64_t ranks_on_node = 1;
  std::uint64_t cores = 1;  ///< of a node, that its ranks share; of a rank with threads, so many as it has
  double row = 0;           ///< of a row and weight: its products, forward and backward, of pieces together
  double lone_row = 0;      ///< the same of pieces that come one by one, as in a pipeline
  double entry = 0;  ///< of a row and hidden unit: activation, layer_norm and dropout, beside relu's in `row`
  double piece = 0;  ///< of a piece and parameter: its gradient is cleared, and added to another piece's
  double call = 0;   ///< of a piece and layer, or slice of one, however small
  double update = 0;  ///< of a parameter, by the optimizer

  /// What the ranks of a group talk by where the first and the last of them are so many ranks apart.
  [[nodiscard]] const Link& link(std::uint64_t span) const { return span <= ranks_on_node ? near : far; }
};

/// A step of mini-batches, of a network of dense layers.
struct TrainingStep {
  std::vector<std::uint64_t> widths;  ///< features, hidden..., outputs
  std::uint64_t batch_size = 1;
  double bytes = 8;  ///< of an element
  Summing summing = Summing::exact;
  bool layer_norm = false;
};

/// Weights and biases of a network of dense layers of these widths.
std::uint64_t dense_parameters(std::span<const std::uint64_t> widths);

/// Where a step's time goes, in seconds. Reading rows is left out: it is the same in every layout.
struct StepCost {
  double compute = 0;        ///< of the rank that has most to do
  double communication = 0;  ///< that nothing goes on beside
  double bubble = 0;         ///< a stage of a pipeline waits for the others
  double update = 0;
  [[nodiscard]] double total() const { return compute + communication + bubble + update; }
};

/// What the code does in such a layout, counted and priced. The layout fits the network (require_fit). Where
/// layers are shared, sums are exact whatever `summing` says.
StepCost predict(const Machine& machine, const TrainingStep& step, const Layout& layout);

/// How long a stage of a pipeline has with a micro-batch, each way.
struct StageTime {
  double forward = 0, backward = 0;
};

/// When the last stage's first and the first stage's last micro-batch are through: each stage takes its turns
/// in their order (one_forward_one_backward), as soon as what it needs has come. `transfer[i]` is how long
/// that takes between stages i and i + 1. With equal stages (m + p - 1)(forward + backward), and 2 (p - 1)
/// transfers (Narayanan et al., 2021).
double schedule_seconds(std::span<const StageTime> stages, std::span<const double> transfer,
                        std::uint64_t micro_batches);

}  // namespace kernmill::tasks
