#pragma once
#include <string>

#include "learn_world.hpp"
#include "preprocess_settings.hpp"

namespace kernmill::testing {

/// Trains kernel_svm models.
class KernelSvmWorld : public LearnWorld {
 protected:
  /// The config of a train stage; what `settings` leave out is as the workflow language fills it in.
  static tasks::Json config(const tasks::Json& settings) {
    tasks::Json model = {{"type", "kernel_svm"}, {"kernel", "rbf"}, {"gamma", "scale"}, {"degree", 3},
                         {"coef0", 0.0},         {"C", 1.0},        {"tolerance", 1e-4}};
    model.update(settings);
    return train_config(model, lbfgs());
  }
  /// How many test rows are predicted right.
  std::uint64_t right(const std::filesystem::path& data) {
    const tasks::Spec made = spec("evaluate", {{"split", "test"}}, {{"data", data}, {"model", model_file()}});
    return tasks::run_evaluate(made, comm).metrics.at("correct");
  }
  /// Of a table of numbers, with the target "y".
  std::filesystem::path table(const std::string& text, tasks::Json settings = tasks::Json::object()) {
    put(directory / "table.csv", text);
    settings["target"] = {{"column", "y"}, {"type", "class"}};
    const tasks::Spec prepare = spec("preprocess", kernmill::testing::preprocess_settings(settings),
                                     {{"input", directory / "table.csv"}}, "prepare-table");
    tasks::run_preprocess(prepare, comm);
    return prepare.output_directory / "dataset.h5";
  }
};

}  // namespace kernmill::testing
