#pragma once
#include <string_view>

#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// Whether a model of this type is a neural network, which is trained in mini-batches where nothing else is
/// said.
bool is_network(std::string_view model);

/// Whether what a train config says of its model goes with its data and its optimizer. `model` is where it
/// says so; null: nowhere.
void check_network(const Draft& draft, const StageDraft& stage, const Json& train, const Value* model);

}  // namespace kernmill
