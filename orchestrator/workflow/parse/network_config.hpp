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

/// What is computed in where nothing is said: a network in mini-batches in float32.
void finish_network(Json& train);

/// `precision` and `exact` fit the method; null where they are not given.
void check_sums(const Json& train, const Value* precision, const Value* exact, Diagnostics& diagnostics);

/// `balance` fits the method and the layout; null where it is not given.
void check_balance(const Json& train, const Value* balance, Diagnostics& diagnostics);

}  // namespace kernmill
