// Steps whose gradients are those of several batches.
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

class Accumulated : public LearnWorld {
 protected:
  static Json config(int batch_size, int accumulate, const char* precision) {
    Json all = train_config(mlp_model({16}), adam(1e-3, 3, batch_size));
    all["precision"] = precision;
    if (accumulate > 1) all["optimizer"]["accumulate"] = accumulate;
    return all;
  }
};

TEST_F(Accumulated, GradientsAreThoseOfOneLargeBatch) {
  const auto data = fold_four("digits", "digit");
  const std::vector<double> large = [&] {
    train(data, config(192, 1, "float64"), "large");
    return parameters("large");
  }();
  for (const bool exact : {true, false}) {
    Json several = config(64, 3, "float64");
    several["exact"] = exact;
    EXPECT_EQ(train(data, several).metrics.at("iterations"), 3 * 8);
    const std::vector<double> found = parameters();
    ASSERT_EQ(found.size(), large.size());
    for (std::size_t i = 0; i < large.size(); ++i) ASSERT_NEAR(found[i], large[i], 1e-9) << i;
  }
}

TEST_F(Accumulated, GradientsHaveTheBitsOfOneRank) {
  const auto data = fold_four("digits", "digit");
  for (const int accumulate : {2, 3, 8}) train_twice(data, config(32, accumulate, "float32"));
}

}  // namespace
}  // namespace kernmill::testing
