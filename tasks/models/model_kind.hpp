#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "kernmill/tasks/models/network/criterion.hpp"
#include "kernmill/tasks/models/network/network.hpp"
#include "kernmill/tasks/models/settings.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// What is a type of model's own. All else that is done with models asks this, and knows no type.
struct ModelKind {
  std::string_view type;  ///< as workflows and model files name it
  bool predicts_classes = false, predicts_numbers = false;
  Loss class_loss = Loss::cross_entropy;  ///< of a class target; that of a numeric one is the squared error
  /// Whether what it minimises is a sum of one objective for each class, which are told one by one.
  bool one_against_rest = false;
  /// Reads its own keys of `model`. Throws SpecError: which is missing or unusable.
  void (*read_settings)(const Json& model, ModelSettings& settings) = nullptr;
  /// For so many rows, and so many target columns (1 for classes).
  Criterion (*criterion)(const ModelSettings& settings, std::uint64_t rows, std::uint64_t targets) = nullptr;
  /// The parameters that training starts from, as the network lays them out. Throws TaskError.
  std::vector<double> (*start)(const ModelSettings& settings, const Network& network,
                               std::uint64_t seed) = nullptr;
};

}  // namespace kernmill::tasks
