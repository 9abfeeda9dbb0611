#include <string>

#include <fmt/format.h>

#include "kernel_svm_world.hpp"
#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/models/kernel_svm/fourier_map.hpp"

namespace kernmill::testing {
namespace {

using tasks::Json;

class RandomFeatures : public KernelSvmWorld {
 protected:
  /// The training rows' random features as a table of their own.
  std::string features_of(const std::filesystem::path& data, std::uint64_t pairs, double gamma,
                          std::uint64_t seed) {
    const storage::DatasetReader reader(comm.handle(), data);
    const tasks::Rows rows(reader, storage::Part::train);
    tasks::HostRows read;
    read.read(rows, storage::IndexRange{0, rows.count()});
    tasks::FourierMap map(rows.features(), pairs, gamma, seed);
    tasks::Batch batch;
    batch.features = tasks::features_on_device(read.features, rows.features());
    const auto z = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), map(batch));
    std::string text;
    for (std::size_t k = 0; k < 2 * pairs; ++k) text += fmt::format("z{},", k);
    text += "y\n";
    for (std::size_t i = 0; i < rows.count(); ++i) {
      for (std::size_t k = 0; k < 2 * pairs; ++k) text += fmt::format("{},", z(i, k));
      text += rows.schema().classes[static_cast<std::size_t>(read.target[i])] + "\n";
    }
    return text;
  }
};

TEST_F(RandomFeatures, GiveTheMinimaThatLinearSvmHasOnThem) {
  const auto data = fold_four("iris", "species");
  const Json each = train_twice(data, config({{"gamma", 0.25}, {"random_features", 40}, {"tolerance", 1e-6}}))
                        .metrics.at("objective_per_class");
  const auto mapped = table(features_of(data, 20, 0.25, 0));
  const Json expected =
      train(mapped, train_config(svm_model(), lbfgs()), "linear").metrics.at("objective_per_class");
  ASSERT_EQ(each.size(), expected.size());
  for (std::size_t k = 0; k < each.size(); ++k)
    EXPECT_NEAR(each[k].get<double>(), expected[k].get<double>(), 1e-6 * expected[k].get<double>());
}

// The kernel itself: 351 of 359 (scikit-learn's SVC at C = 10, reference_kernel_svm.py).
TEST_F(RandomFeatures, PredictDigitsTheBetterTheMoreTheyAre) {
  const auto data = fold_four("digits", "digit");
  train(data, config({{"random_features", 20}, {"tolerance", 1e-2}}));
  const std::uint64_t few = right(data);
  train_twice(data, config({{"random_features", 200}, {"tolerance", 1e-2}}));
  EXPECT_GE(right(data), 335U);
  EXPECT_LT(few + 20, right(data));
}

TEST_F(RandomFeatures, EndWithTheSameBitsAfterAResumption) {
  Json with_checkpoints = config({{"gamma", 0.25}, {"random_features", 40}});
  with_checkpoints["checkpoint"]["every"] = 1;
  tasks::Spec fit = spec("train", with_checkpoints, {{"data", fold_four("iris", "species")}}, "fit");
  fit.checkpoint_directory = directory / "checkpoints";
  const tasks::Result whole = tasks::run_train(fit, comm);
  const std::uint64_t end = digest(parameters());
  EXPECT_GE(whole.metrics.at("iterations"), 3);
  on_first_rank([&](const tasks::Communicator& alone) {
    EXPECT_EQ(tasks::run_train(fit, alone).metrics.dump(), whole.metrics.dump());
  });
  EXPECT_EQ(digest(parameters()), end);
}

TEST_F(RandomFeatures, AreForTheRbfKernelAlone) {
  const auto data = fold_four("iris", "species");
  EXPECT_THROW(train(data, config({{"kernel", "polynomial"}, {"random_features", 40}})), tasks::TaskError);
}

}  // namespace
}  // namespace kernmill::testing
