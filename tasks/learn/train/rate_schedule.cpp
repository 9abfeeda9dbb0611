#include "kernmill/tasks/learn/train/rate_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kernmill::tasks {

RateSchedule::RateSchedule(const ScheduleSettings& settings, double learning_rate,
                           std::uint64_t steps_per_epoch, std::uint64_t steps)
    : settings_(settings),
      learning_rate_(learning_rate),
      steps_per_epoch_(static_cast<double>(steps_per_epoch)),
      steps_(static_cast<double>(steps)),
      warmup_steps_(std::round(settings.warmup * steps_per_epoch_)) {}

double RateSchedule::rate(std::uint64_t step) const {
  const auto at = static_cast<double>(step);
  if (at < warmup_steps_) return learning_rate_ * (at + 1) / warmup_steps_;
  switch (settings_.type) {
    case ScheduleSettings::Type::constant:
      return learning_rate_;
    case ScheduleSettings::Type::step: {
      const double epoch = std::floor(at / steps_per_epoch_);
      return learning_rate_ *
             std::pow(settings_.factor, std::floor(epoch / static_cast<double>(settings_.every)));
    }
    case ScheduleSettings::Type::cosine:
      return learning_rate_ * cosine_at(at);
    case ScheduleSettings::Type::plateau:
      return learning_rate_ * scale_;
  }
  return learning_rate_;
}

double RateSchedule::cosine_at(double step) const {
  const double length = std::max(1.0, steps_ - warmup_steps_);
  const double passed = std::min(1.0, (step - warmup_steps_) / length);
  return settings_.floor + (1 - settings_.floor) * 0.5 * (1 + std::cos(std::numbers::pi * passed));
}

void RateSchedule::end_epoch(double loss) {
  if (loss < best_ * (1 - settings_.threshold)) {
    best_ = loss;
    waited_ = 0;
    return;
  }
  if (++waited_ <= static_cast<double>(settings_.patience)) return;
  scale_ *= settings_.factor;
  waited_ = 0;
}

void RateSchedule::restore(const std::vector<double>& state) {
  best_ = state.at(0);
  waited_ = state.at(1);
  scale_ = state.at(2);
}

}  // namespace kernmill::tasks
