#pragma once
#include <cmath>
#include <string>

#include "learn_world.hpp"

namespace kernmill::testing {

/// Convex models have one minimum: for every number of ranks, and every method.
class Convex : public LearnWorld {
 protected:
  using Json = tasks::Json;
};

}  // namespace kernmill::testing
