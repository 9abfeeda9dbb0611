#include <gmock/gmock.h>

#include "kernmill/tasks/models/registry.hpp"
#include "kernmill/tasks/models/tensors.hpp"
#include "kernmill/tasks/support/task_error.hpp"
#include "learn_world.hpp"

// Figures of scikit-learn 1.9: reference_clusters.py.
namespace kernmill::testing {
namespace {

using tasks::Json;
using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

const std::vector<double> iris_components{0.36138659178536503,  -0.08452251406457323, 0.8566706059498357,
                                          0.3582891971515514,   0.6565887712868267,   0.7301614347850441,
                                          -0.17337266279585187, -0.0754810199174412};

class Pca : public LearnWorld {
 protected:
  static Json config(double components, const std::string& method = "covariance", bool whiten = false) {
    return {{"model",
             {{"type", "pca"},
              {"components", components},
              {"method", method},
              {"power_iterations", 4},
              {"oversampling", 10},
              {"whiten", whiten}}},
            {"seed", 0},
            {"checkpoint", {{"every", 100}, {"keep", 2}}}};
  }
  std::filesystem::path raw(const std::string& name, const std::string& target) {
    return dataset(name, {{"target", {{"column", target}, {"type", "auto"}}}});
  }
  storage::Model model() { return storage::read_model(comm.handle(), model_file()); }
};

TEST_F(Pca, ComponentsOfIrisAreThoseOfItsPeer) {
  for (const char* method : {"covariance", "randomized"}) {
    train_twice(raw("iris", "species"), config(2, method));
    const storage::Model trained = model();
    EXPECT_THAT(tasks::values_of(trained.parameters, "components"),
                Pointwise(DoubleNear(1e-10), iris_components))
        << method;
    EXPECT_THAT(tasks::values_of(trained.parameters, "explained_variance"),
                Pointwise(DoubleNear(1e-10), std::vector{4.22824170603484, 0.2426707479286119}));
    EXPECT_THAT(tasks::values_of(trained.parameters, "explained_variance_ratio"),
                Pointwise(DoubleNear(1e-10), std::vector{0.9246187232017341, 0.05306648311706383}));
  }
}

TEST_F(Pca, ExplainsDigitsAsItsPeer) {
  const std::vector<double> ratios{0.14890593584063852, 0.13618771239635444, 0.11794593763975787};
  const auto data = raw("digits", "digit");
  const auto exact = train_twice(data, config(3));
  EXPECT_THAT(exact.metrics.at("explained_variance_ratio").get<std::vector<double>>(),
              Pointwise(DoubleNear(1e-10), ratios));
  const auto randomized = train_twice(data, config(3, "randomized"));
  EXPECT_THAT(randomized.metrics.at("explained_variance_ratio").get<std::vector<double>>(),
              Pointwise(DoubleNear(1e-8), ratios));
  EXPECT_EQ(train_twice(data, config(0.95)).metrics.at("components"), 29);
}

TEST_F(Pca, ScoresOfARowAreThoseOfItsPeer) {
  const std::vector<double> first{5.1, 3.5, 1.4, 0.2};
  std::vector<double> scores(2);
  train(raw("iris", "species"), config(2));
  const auto plain = tasks::open_model(model());
  EXPECT_EQ(plain->columns(), (std::vector<std::string>{"component_1", "component_2"}));
  plain->predict(first, 1, scores);
  EXPECT_THAT(scores, Pointwise(DoubleNear(1e-10), std::vector{-2.6841256259695383, 0.31939724658508517}));
  train(raw("iris", "species"), config(2, "covariance", true));
  tasks::open_model(model())->predict(first, 1, scores);
  EXPECT_THAT(scores, Pointwise(DoubleNear(1e-10), std::vector{-1.3053378633198602, 0.6483693157802353}));
}

TEST_F(Pca, IsJudgedByWhatIsLost) {
  const auto data = raw("iris", "species");
  train(data, config(2));
  const auto result = tasks::run_evaluate(
      spec("evaluate", {{"split", "train"}}, {{"model", model_file()}, {"data", data}}), comm);
  EXPECT_NEAR(result.metrics.at("reconstruction_error").get<double>(), 0.101364295729593, 1e-12);
  EXPECT_NEAR(result.metrics.at("explained_variance").get<double>(), 0.9246187232017341 + 0.05306648311706383,
              1e-12);
}

TEST_F(Pca, SaysThatDataHaveFewerComponents) {
  try {
    train(raw("iris", "species"), config(5));
    FAIL() << "nothing was thrown";
  } catch (const tasks::TaskError& error) {
    EXPECT_THAT(error.what(), HasSubstr("150 rows of 4 features have no 5 components"));
  }
}

}  // namespace
}  // namespace kernmill::testing
