#include "kernmill/tasks/learn/monitor/not_finite.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace kernmill::tasks {
namespace {

TEST(NotFinite, NamesTheFirstLayerOfTheWeightsThenOfTheGradient) {
  const std::vector<LayerExtent> network{{2, 3, 0, 9}, {3, 1, 9, 13}};
  std::vector<double> weights(13, 1.0), gradient = weights;
  EXPECT_EQ(first_not_finite(network, weights, 0, gradient),
            "all weights are finite: the outputs for some row are not");
  gradient.back() = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(first_not_finite(network, weights, 0, gradient),
            "all weights are finite, and layer 2 of 2 (3 -> 1) is the first with a gradient that is not");
  weights[8] = std::numeric_limits<double>::infinity();  // the first layer's last bias
  EXPECT_EQ(first_not_finite(network, weights, 0, gradient),
            "layer 1 of 2 (2 -> 3) is the first with weights that are not finite");
}

}  // namespace
}  // namespace kernmill::tasks
