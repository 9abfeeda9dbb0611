#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "kernmill/tasks/models/network/loss.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

struct ModelKind;

/// `model` of a train stage's config. What a kind has no use for keeps its default.
struct ModelSettings {
  const ModelKind* kind = nullptr;  ///< of the registry; never null once read
  double l1 = 0, l2 = 0, C = 1;
  bool regularize_bias = false;
  std::optional<Loss> loss;  ///< other than the kind's own
  std::vector<std::uint64_t> hidden;
  bool relu = true;
  std::vector<double> initial_weights;  ///< features x outputs; empty: zeros
  std::vector<double> initial_bias;     ///< one an output, or one for all; empty: zeros
};

/// Throws SpecError: which setting is missing or unusable, or that there is no model of that type.
ModelSettings read_model_settings(const Json& model);

}  // namespace kernmill::tasks
