#pragma once
#include <cmath>
#include <string>

#include "learn_world.hpp"

namespace kernmill::testing {

/// Convex models have one minimum: for every number of ranks, and every method.
class Convex : public LearnWorld {
 protected:
  using Json = tasks::Json;
  /// Trains on all ranks, and again on one: the two must not differ in a bit.
  tasks::Result train_twice(const std::filesystem::path& data, const Json& config) {
    const tasks::Result result = train(data, config);
    const std::vector<double> together = parameters();
    const tasks::Spec alone_spec = spec("train", config, {{"data", data}}, "alone");
    on_first_rank([&](const tasks::Communicator& alone) {
      const tasks::Result again = tasks::run_train(alone_spec, alone);
      EXPECT_EQ(again.metrics.dump(), result.metrics.dump());
    });
    EXPECT_EQ(digest(parameters("alone")), digest(together));
    return result;
  }
};

inline void expect_relative(double value, double expected, double tolerance) {
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

}  // namespace kernmill::testing
