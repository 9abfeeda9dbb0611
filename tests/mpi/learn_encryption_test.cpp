#include <gmock/gmock.h>
#include <sys/stat.h>

#include "kernmill/storage/dataset/dataset.hpp"
#include "learn_world.hpp"
#include "preprocess_settings.hpp"

namespace kernmill {
namespace {

using kernmill::testing::LearnWorld;
using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using tasks::Json;
using ::testing::HasSubstr;

/// The tasks with `encryption` in their spec, as kernmill-exec writes it.
class EncryptedTasks : public LearnWorld {
 protected:
  void SetUp() override {
    LearnWorld::SetUp();
    put(directory / "key", std::string(64, '7') + "\n");
    chmod((directory / "key").c_str(), 0600);
  }
  tasks::Spec read(const std::string& kind, const Json& config, const Json& inputs, mode_t mode = 0700) {
    const auto output = directory / kind;
    if (world_rank() == 0) {
      std::filesystem::create_directories(output);
      chmod(output.c_str(), mode);
    }
    const Json spec = {{"schema_version", 1},        {"kind", kind},
                       {"config", config},           {"inputs", inputs},
                       {"output_directory", output}, {"encryption", {{"key_file", directory / "key"}}},
                       {"checkpoint_directory", ""}};
    put(output / "spec.json", spec.dump());
    return tasks::read_spec(output / "spec.json", kind);
  }
  std::filesystem::path sealed_iris() {
    tasks::Spec prepare = spec("preprocess", testing::preprocess_settings(prepare_),
                               {{"input", std::filesystem::path(KERNMILL_DATA) / "iris.csv"}}, "sealed");
    prepare.key = read("train", Json::object(), Json::object()).key;
    tasks::run_preprocess(prepare, comm);
    return prepare.output_directory / "dataset.h5";
  }
  static mode_t mode_of(const std::filesystem::path& file) {
    struct stat status {};
    stat(file.c_str(), &status);
    return status.st_mode & 07777;
  }
  const Json prepare_ = {{"target", {{"column", "species"}, {"type", "auto"}}},
                         {"split", {{"type", "every"}, {"every", 5}, {"offset", 4}}},
                         {"scale", "standard"}};
};

TEST_F(EncryptedTasks, LeaveNothingInClearAndTheSameNumbers) {
  const auto plain = fold_four("iris", "species");
  const auto expected =
      train(plain, testing::train_config(testing::softmax_model(), testing::lbfgs()), "plain");
  const auto data = sealed_iris();
  const auto key = read("train", Json::object(), Json::object()).key;
  EXPECT_EQ(content(data).find("petal_width"), std::string::npos);
  EXPECT_EQ(storage::DatasetReader(comm.handle(), data, {key}).content_hash(),
            storage::DatasetReader(comm.handle(), plain).content_hash());

  const tasks::Spec fit =
      read("train", testing::train_config(testing::softmax_model(), testing::lbfgs()), {{"data", data}});
  EXPECT_EQ(tasks::run_train(fit, comm).metrics, expected.metrics);
  const auto model = fit.output_directory / "model.h5";
  EXPECT_EQ(content(model).find("petal_width"), std::string::npos);
  const tasks::Spec score = read("evaluate", {{"split", "test"}}, {{"model", model}, {"data", data}});
  const tasks::Spec plainly =
      spec("evaluate", {{"split", "test"}}, {{"model", model_file("plain")}, {"data", plain}}, "plainly");
  EXPECT_EQ(tasks::run_evaluate(score, comm).metrics, tasks::run_evaluate(plainly, comm).metrics);

  tasks::Spec blind = score;
  blind.key.reset();
  EXPECT_THAT(message_of<storage::Error>([&] { tasks::run_evaluate(blind, comm); }),
              HasSubstr("model.h5: is encrypted"));
}

TEST_F(EncryptedTasks, AKeyThatOthersMayReadIsRefusedBeforeAnyWork) {
  chmod((directory / "key").c_str(), 0644);
  MPI_Barrier(comm.handle());
  EXPECT_THAT(message_of<storage::Error>([&] { read("train", Json::object(), Json::object()); }),
              HasSubstr("chmod 600"));
}

TEST_F(EncryptedTasks, APlainFileInThePlaceOfAnEncryptedOneIsRefused) {
  const auto plain = fold_four("iris", "species");
  const Json config = testing::train_config(testing::softmax_model(), testing::lbfgs());
  train(plain, config, "plain");
  EXPECT_THAT(message_of<storage::Error>([&] {
                tasks::run_train(read("train", config, {{"data", plain}}), comm);
              }),
              HasSubstr("dataset.h5: is not encrypted"));
  const tasks::Spec score =
      read("evaluate", {{"split", "test"}}, {{"model", model_file("plain")}, {"data", sealed_iris()}});
  EXPECT_THAT(message_of<storage::Error>([&] { tasks::run_evaluate(score, comm); }),
              HasSubstr("model.h5: is not encrypted"));
}

TEST_F(EncryptedTasks, FinishedFilesAreReadOnlyForWhomTheirDirectoryIsOpen) {
  const auto data = sealed_iris();
  for (const auto& [directory_mode, file_mode] : {std::pair<mode_t, mode_t>{0700, 0400}, {0750, 0440}}) {
    const tasks::Spec fit = read("train", testing::train_config(testing::softmax_model(), testing::lbfgs()),
                                 {{"data", data}}, directory_mode);
    tasks::run_train(fit, comm);
    MPI_Barrier(comm.handle());
    EXPECT_EQ(mode_of(fit.output_directory / "model.h5"), file_mode);
  }
}

}  // namespace
}  // namespace kernmill
