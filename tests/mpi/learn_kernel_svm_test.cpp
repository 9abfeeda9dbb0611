#include <fstream>
#include <functional>
#include <string>

#include "kernel_svm_world.hpp"

// Duals, support vectors and accuracies of scikit-learn's SVC (libsvm) at a tolerance of 1e-9:
// reference_kernel_svm.py.
namespace kernmill::testing {
namespace {

using tasks::Json;

using KernelSvm = KernelSvmWorld;

void expect_duals(const Json& metrics, const std::vector<double>& expected) {
  const Json& each = metrics.at("objective_per_pair");
  ASSERT_EQ(each.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(each[i].get<double>(), expected[i], 1e-6 * std::abs(expected[i])) << "pair " << i;
}

TEST_F(KernelSvm, RbfOnIrisIsThatOfTheReference) {
  const auto data = fold_four("iris", "species");
  const auto result = train_twice(data, config({{"gamma", 0.25}}));
  expect_duals(result.metrics, {-3.51577536512, -2.93615201984, -20.7526288892});
  EXPECT_EQ(result.metrics.at("support_vectors"), 47);
  EXPECT_EQ(right(data), 29U);
}

TEST_F(KernelSvm, OtherKernelsAreThoseOfTheReference) {
  const auto data = fold_four("iris", "species");
  Json settings = {{"kernel", "polynomial"}, {"gamma", 0.5}, {"coef0", 1.0}, {"degree", 2}, {"C", 0.5}};
  const auto polynomial = train_twice(data, config(settings));
  expect_duals(polynomial.metrics, {-0.368796179459, -0.218518622409, -6.99428256789});
  EXPECT_EQ(polynomial.metrics.at("support_vectors"), 29);
  EXPECT_EQ(right(data), 28U);
  const auto linear = train_twice(data, config({{"kernel", "linear"}}));
  expect_duals(linear.metrics, {-0.985625202693, -0.321840310646, -14.5696596667});
}

TEST_F(KernelSvm, DigitsAreThoseOfTheReference) {
  const auto data = fold_four("digits", "digit");
  const auto result = train_twice(data, config({{"C", 10.0}}));
  EXPECT_NEAR(result.metrics.at("objective"), -844.653552538, 1e-6 * 844.6535525);
  EXPECT_NEAR(result.metrics.at("objective_per_pair")[0], -7.68008936846, 1e-6);
  EXPECT_NEAR(result.metrics.at("objective_per_pair")[44], -42.3270866709, 1e-5);
  EXPECT_EQ(result.metrics.at("support_vectors"), 697);
  EXPECT_EQ(right(data), 351U);
}

TEST_F(KernelSvm, PooledAccuracyOfIrisIsThatOfTheReference) {
  if (comm.size() > 1) GTEST_SKIP() << "the bits are those of one rank";
  std::uint64_t all_right = 0;
  for (int k = 0; k < 5; ++k) {
    const auto data = dataset("iris", {{"target", {{"column", "species"}, {"type", "auto"}}},
                                       {"split", {{"type", "every"}, {"every", 5}, {"offset", k}}},
                                       {"scale", "standard"}});
    train(data, config({{"gamma", 0.25}, {"C", 10.0}}));
    all_right += right(data);
  }
  EXPECT_EQ(all_right, 144U);
}

TEST_F(KernelSvm, BalancedClassesAreThoseOfTheReference) {
  std::ifstream flowers(KERNMILL_DATA "/iris.csv");
  std::string text = "a,b,c,d,y\n", line;
  std::getline(flowers, line);
  for (int i = 0; std::getline(flowers, line); ++i)
    if (const int every = i < 50 ? 5 : i < 100 ? 2 : 1; i % every == 0) text += line + '\n';
  Json balanced = config({{"gamma", 0.25}});
  balanced["class_weight"] = "balanced";
  const auto result = train_twice(table(text), balanced);
  expect_duals(result.metrics, {-2.14670861473, -1.72231989077, -15.8579775566});
  EXPECT_EQ(result.metrics.at("support_vectors"), 40);
}

/// The digits, odd and even: 1437 rows to tell apart, so that it takes several working sets.
class Parity : public KernelSvm {
 protected:
  std::filesystem::path parity() {
    std::ifstream digits(KERNMILL_DATA "/digits.csv");
    std::string text, line;
    std::getline(digits, line);
    text = line.substr(0, line.rfind(',')) + ",y\n";
    while (std::getline(digits, line)) {
      const std::size_t at = line.rfind(',');
      text += line.substr(0, at) + (std::stoi(line.substr(at + 1)) % 2 == 0 ? ",even\n" : ",odd\n");
    }
    return table(text, {{"split", {{"type", "every"}, {"every", 5}, {"offset", 4}}}, {"scale", "standard"}});
  }
  static Json parity_config() { return config({{"gamma", "auto"}, {"C", 10.0}}); }
};

TEST_F(Parity, IsThatOfTheReferenceWhenRanksShareThePair) {
  const auto data = parity();
  const auto result = train_twice(data, parity_config());
  expect_duals(result.metrics, {-230.276075907});
  EXPECT_EQ(result.metrics.at("support_vectors"), 328);
  EXPECT_EQ(right(data), 353U);
}

TEST_F(Parity, HasTheSameBitsWithHardlyAnyMemoryForKernels) {
  const auto data = parity();
  train(data, parity_config());
  Json little = parity_config();
  little["cache"] = 1;
  train(data, little, "little");
  EXPECT_EQ(digest(parameters("little")), digest(parameters()));
}

TEST_F(Parity, EndsWithTheSameBitsAfterAResumptionOnOtherRanks) {
  const auto data = parity();
  Json config = parity_config();
  config["checkpoint"]["every"] = 2;
  tasks::Spec fit = spec("train", config, {{"data", data}}, "fit");
  fit.checkpoint_directory = directory / "checkpoints";
  const tasks::Result whole = tasks::run_train(fit, comm);
  const std::uint64_t end = digest(parameters());
  std::uint64_t checkpoints = 0;
  for (const auto& entry : std::filesystem::directory_iterator(fit.checkpoint_directory))
    checkpoints += entry.path().extension() == ".h5" ? 1 : 0;
  EXPECT_EQ(checkpoints, 2U);
  tasks::Spec again = fit;
  again.output_directory = directory / "again";
  std::filesystem::create_directories(again.output_directory);
  on_first_rank([&](const tasks::Communicator& alone) {
    EXPECT_EQ(tasks::run_train(again, alone).metrics.dump(), whole.metrics.dump());
  });
  EXPECT_EQ(digest(parameters("again")), end);
}

using SvmTraps = KernelSvm;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const tasks::TaskError& error) {
    return error.what();
  }
  return "";
}

TEST_F(SvmTraps, OneClassIsNothingToTellApart) {
  const auto data =
      table("x,y\n1,a\n2,b\n3,a\n4,b\n", {{"split", {{"type", "every"}, {"every", 2}, {"offset", 1}}}});
  EXPECT_EQ(error_of([&] { train(data, config(Json::object())); }),
            "all training rows have the class 'a': there is nothing to tell apart");
}

TEST_F(SvmTraps, TheSameRowsOfTwoClassesAndAClassOfASingleRowAreLearnt) {
  const auto data = table("x,y\n1,a\n1,b\n1,a\n1,b\n2,a\n3,c\n");
  const auto result = train_twice(data, config({{"gamma", 1.0}}));
  for (const Json& dual : result.metrics.at("objective_per_pair")) EXPECT_LT(dual.get<double>(), 0);
  EXPECT_GE(result.metrics.at("train_accuracy"), 4.0 / 6 - 1e-9);
}

TEST_F(SvmTraps, AKernelThatIsTooLargeForANumberIsAnError) {
  const auto data = table("x,y\n1e100,a\n2e100,b\n-1e100,a\n");
  const Json settings = {{"kernel", "polynomial"}, {"gamma", 1.0}, {"degree", 5}};
  EXPECT_EQ(error_of([&] { train(data, config(settings)); }),
            "the kernel of two training rows is too large for a number");
}

TEST_F(SvmTraps, EveryRowIsASupportVectorWhereGammaTellsAllApart) {
  const auto data = fold_four("iris", "species");
  ::testing::internal::CaptureStderr();
  const auto result = train(data, config({{"gamma", 1e6}}));
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_GE(result.metrics.at("support_vectors"), 117);
  EXPECT_EQ(said.find("every training row") != std::string::npos,
            comm.is_root() && result.metrics.at("support_vectors") == 120);
}

}  // namespace
}  // namespace kernmill::testing
