#pragma once
#include <algorithm>
#include <string>

#include "data_fixture.hpp"
#include "kernmill/tasks/kinds/deploy.hpp"
#include "scorer.hpp"

namespace kernmill::tasks {

/// Prepares data, and deploys a model that predicts the features of what was prepared last.
class Deploying : public Preprocessing {
 protected:
  storage::Schema schema_of_features() {
    storage::Schema schema = dataset().schema();
    schema.target_kind = storage::TargetKind::numbers;
    schema.target_names = schema.features;
    return schema;
  }
  Result deploy_file(const std::string& name, const std::string& text, const storage::Schema& schema) {
    put(directory / name, text);
    const Scorer scorer{
        [](auto features, auto, auto scores) { std::copy(features.begin(), features.end(), scores.begin()); },
        schema.features.size(), false};
    Spec spec;
    spec.config = defaults();
    spec.config["probabilities"] = false;
    spec.output_directory = directory;
    spec.inputs["input"] = directory / name;
    return deploy(spec, comm, schema, scorer);
  }
  Result deploy_file(const std::string& name, const std::string& text) {
    return deploy_file(name, text, schema_of_features());
  }
};

}  // namespace kernmill::tasks
