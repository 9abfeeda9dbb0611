#pragma once
#include <string_view>

#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// Whether a model of this type is a neural network, which is trained in mini-batches where nothing else is
/// said.
bool is_network(std::string_view model);

/// Whether a model of this type has a method of its own in place of an optimizer.
bool has_own_method(std::string_view model);

/// Whether what a train config says of its model goes with its data and its optimizer. `model` is where it
/// says so; null: nowhere.
void check_network(const Draft& draft, const StageDraft& stage, const Json& train, const Value* model);

/// What is computed in where nothing is said: a network in mini-batches in float32.
void finish_network(Json& train);

/// What a train config says of how ranks work together; null where it says nothing.
struct SharingChoice {
  const Value *precision = nullptr, *exact = nullptr, *parallel = nullptr, *balance = nullptr;
};

/// Whether that fits the model, of this type, and its method. `train` is what was read.
void check_sharing(const std::string& type, const Json& train, const SharingChoice& choice,
                   Diagnostics& diagnostics);

}  // namespace kernmill
