#pragma once
#include <cstdint>
#include <limits>
#include <vector>

namespace kernmill::tasks {

/// How the learning rate of a mini-batch method changes.
struct ScheduleSettings {
  enum class Type {
    constant,
    step,    ///< times `factor` after every `every` epochs
    cosine,  ///< half a cosine down to `floor` (Loshchilov and Hutter, SGDR, 2017, without restarts)
    plateau  ///< times `factor` when `patience` epochs have not made the training loss better
  };
  Type type = Type::constant;
  double warmup = 0;           ///< epochs, over which the rate grows from next to nothing
  double factor = 0.1;         ///< of step and plateau
  std::uint64_t every = 10;    ///< epochs
  double floor = 0;            ///< of cosine: a share of the learning rate
  std::uint64_t patience = 5;  ///< epochs
  double threshold = 1e-4;     ///< what counts as better: a share of the loss
};

/// The learning rate of each step.
class RateSchedule {
 public:
  /// Of so many steps, `steps_per_epoch` an epoch.
  RateSchedule(const ScheduleSettings& settings, double learning_rate, std::uint64_t steps_per_epoch,
               std::uint64_t steps);
  /// Of a step, counted from 0.
  [[nodiscard]] double rate(std::uint64_t step) const;
  void end_epoch(double loss);
  [[nodiscard]] bool changes() const {
    return settings_.type != ScheduleSettings::Type::constant || warmup_steps_ > 0;
  }

  /// What a checkpoint keeps of it: three numbers.
  [[nodiscard]] std::vector<double> state() const { return {best_, waited_, scale_}; }
  void restore(const std::vector<double>& state);

 private:
  [[nodiscard]] double cosine_at(double step) const;

  ScheduleSettings settings_;
  double learning_rate_, steps_per_epoch_, steps_, warmup_steps_;
  double best_ = std::numeric_limits<double>::infinity();  ///< loss of an epoch
  double waited_ = 0;                                      ///< epochs since
  double scale_ = 1;                                       ///< what plateau has made of the rate
};

}  // namespace kernmill::tasks
