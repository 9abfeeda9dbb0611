#include "kernmill/tasks/learn/train/rate_schedule.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using Type = ScheduleSettings::Type;

// What PyTorch's schedules give: tests/kernels/reference_steps.py.
constexpr double close = 1e-15;

std::vector<double> rates(const ScheduleSettings& settings, std::uint64_t steps_per_epoch, std::size_t steps,
                          const std::vector<double>& losses = {}) {
  RateSchedule schedule(settings, 0.1, steps_per_epoch, steps);
  std::vector<double> found;
  for (std::size_t step = 0; step < steps; ++step) {
    found.push_back(schedule.rate(step));
    if (step < losses.size()) schedule.end_epoch(losses[step]);
  }
  return found;
}

auto near_to(const std::vector<double>& expected) {
  return ::testing::Pointwise(::testing::DoubleNear(close), expected);
}

TEST(RateSchedule, AConstantOneStays) {
  EXPECT_THAT(rates({}, 2, 4), near_to({0.1, 0.1, 0.1, 0.1}));
}

TEST(RateSchedule, StepsComeAfterEpochs) {
  EXPECT_THAT(rates({.type = Type::step, .factor = 0.5, .every = 2}, 1, 6),
              near_to({0.1, 0.1, 0.05, 0.05, 0.025, 0.025}));
  EXPECT_THAT(rates({.type = Type::step, .factor = 0.5, .every = 1}, 2, 4), near_to({0.1, 0.1, 0.05, 0.05}));
}

TEST(RateSchedule, ACosineGoesDownToItsFloor) {
  EXPECT_THAT(rates({.type = Type::cosine, .floor = 0.1}, 3, 6),
              near_to({0.1, 0.09397114317029975, 0.0775, 0.055, 0.0325, 0.01602885682970026}));
}

TEST(RateSchedule, GrowsInTheWarmUp) {
  EXPECT_THAT(rates({.warmup = 2}, 2, 6), near_to({0.025, 0.05, 0.075, 0.1, 0.1, 0.1}));
  EXPECT_THAT(rates({.type = Type::cosine, .warmup = 0.5}, 4, 4), near_to({0.05, 0.1, 0.1, 0.05}));
  EXPECT_THAT(rates({.type = Type::cosine, .warmup = 9}, 1, 3), near_to({0.1 / 9, 0.2 / 9, 0.3 / 9}));
}

TEST(RateSchedule, APlateauLowersIt) {
  const ScheduleSettings settings{.type = Type::plateau, .factor = 0.5, .patience = 1, .threshold = 0.1};
  EXPECT_THAT(rates(settings, 1, 8, {1.0, 0.8, 0.79, 0.78, 0.77, 0.5, 0.49, 0.48}),
              near_to({0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05}));
}

TEST(RateSchedule, GoesOnFromItsState) {
  const ScheduleSettings settings{.type = Type::plateau, .factor = 0.5, .patience = 0, .threshold = 0};
  RateSchedule before(settings, 0.1, 1, 9);
  for (const double loss : {1.0, 1.0, 0.5}) before.end_epoch(loss);
  RateSchedule after(settings, 0.1, 1, 9);
  after.restore(before.state());
  EXPECT_EQ(after.rate(3), 0.05);
  after.end_epoch(0.6);
  EXPECT_EQ(after.rate(4), 0.025);
}

}  // namespace
}  // namespace kernmill::tasks
