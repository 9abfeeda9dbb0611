#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/tasks/learn/parallel/layout.hpp"
#include "kernmill/tasks/learn/train/balance.hpp"
#include "kernmill/tasks/learn/train/best_epoch.hpp"
#include "kernmill/tasks/learn/train/checkpoint_schedule.hpp"
#include "kernmill/tasks/learn/train/rate_schedule.hpp"
#include "kernmill/tasks/models/network/network_kind.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

enum class OptimizerType {
  lbfgs,
  newton,
  interior_point,
  closed_form,
  coordinate_descent,
  gradient_descent,
  sgd,
  adam,
  adamw
};

struct OptimizerSettings {
  OptimizerType type = OptimizerType::lbfgs;
  std::uint64_t max_iterations = 1000, history = 10;  ///< gradient_descent's steps are max_iterations
  std::uint64_t max_features =
      2000;  ///< of closed_form, with more of which lbfgs takes over, and interior_point
  double tolerance = 1e-10, objective_tolerance = 0;
  double learning_rate = 0.01, momentum = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  bool nesterov = false;
  double weight_decay = 0;          ///< of adamw: weights shrink by this times the rate; biases do not
  std::optional<double> clip_norm;  ///< the gradient's norm is at most that
  ScheduleSettings schedule;
  std::optional<EarlyStopping> early_stopping;
  std::string shuffle = "auto";              ///< "auto", "full" or "block": see row_order.hpp
  std::uint64_t epochs = 0, batch_size = 0;  ///< zero for the full-batch methods
  std::uint64_t accumulate = 1;              ///< batches that make a step
  [[nodiscard]] std::uint64_t rows_of_step() const { return batch_size * accumulate; }
  /// Whether it needs no more of the rows than their first and second moments.
  [[nodiscard]] bool goes_by_moments() const {
    return type == OptimizerType::closed_form || type == OptimizerType::coordinate_descent;
  }
  [[nodiscard]] bool is_full_batch() const {
    return type != OptimizerType::sgd && type != OptimizerType::adam && type != OptimizerType::adamw;
  }
};

/// What a train stage of a network says of its training.
struct TrainSettings {
  std::unique_ptr<NetworkModel> model;  ///< never null once read
  OptimizerSettings optimizer;
  std::uint64_t seed = 0;
  bool single_precision = false;  ///< float32 in place of float64, of mini-batch methods
  bool rounds_factors = false;    ///< mixed: those of the products, to bfloat16, of single precision
  bool exact = true;              ///< whether sums over ranks have one order
  bool balanced = false;          ///< whether rows of all classes together count alike
  Balancing balancing = Balancing::even;
  Layout layout;                       ///< its data 0: all ranks that the others leave
  bool chooses_layout = false;         ///< what is 0 of the layout, when training begins
  std::optional<std::uint64_t> cache;  ///< bytes of a rank's memory for its rows; none: what there is
  std::uint64_t shards = 64;           ///< of the rows of a full-batch method: a power of two
};

/// `checkpoint` of a train stage, of whatever model. Its steps are the model's periods: epochs, or
/// iterations.
struct CheckpointSettings {
  CheckpointInterval interval;
  storage::Retention retention;
};

/// Throws SpecError: which setting is missing or unusable.
TrainSettings read_train_settings(const Json& config);
CheckpointSettings read_checkpoint_settings(const Json& config);

/// How ranks share a training, of whatever model. Throws SpecError.
Layout read_layout(const Json& config);

/// A config without what changes no number of the model: how ranks share its rows and layers, slices aside.
Json without_layout(Json config);

}  // namespace kernmill::tasks
