#pragma once
#include <cstdint>
#include <memory>
#include <string_view>

#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/models/predictor.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

class OwnScores;
class Session;
struct Fit;
struct FitData;
struct NetworkKind;

/// What is a type of model's own. All else that is done with models asks this, and knows no type.
struct ModelKind {
  std::string_view type;  ///< as workflows and model files name it
  /// The targets that it learns. Of a model with neither, of clusters or components, no target is looked at.
  bool predicts_classes = false, predicts_numbers = false;
  /// Trains, by a train stage's config (learn/train/fit.hpp). Collective. Throws SpecError for a setting that
  /// is unusable, TaskError for data that it cannot learn from, Stopped.
  Fit (*fit)(const Json& config, const FitData& data, Session& session) = nullptr;
  /// A model of a file, ready to predict. Throws TaskError where its settings, parameters and schema do not
  /// fit together.
  std::unique_ptr<Predictor> (*open)(const storage::Model& model) = nullptr;
  /// How many of the method's own steps are one of those that `checkpoint.every` counts; null: each is one.
  std::uint64_t (*steps_per_period)(const Json& config, std::uint64_t rows) = nullptr;
  /// How good it is (learn/score/own_scores.hpp), of a model without a target.
  std::unique_ptr<OwnScores> (*own_scores)() = nullptr;
  bool takes_weights = true;             ///< whether a row may count more than another
  bool multiplies_by_blas = true;        ///< on the host; else by kernels of Kernmill's own (multiply_rows)
  const NetworkKind* network = nullptr;  ///< of one that is a network: network/network_kind.hpp

  [[nodiscard]] constexpr bool needs_target() const { return predicts_classes || predicts_numbers; }
};

}  // namespace kernmill::tasks
