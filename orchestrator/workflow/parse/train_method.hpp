#pragma once
#include <string>

#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/value/value.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// What a stage says of how its model is fitted; null where it says nothing.
struct MethodChoice {
  const Value* model = nullptr;
  const Value* optimizer = nullptr;
  const Value* start_from = nullptr;
  const Value* shards = nullptr;
  const Value* space = nullptr;  ///< of a search
};

/// Whether the optimizer of what was read goes by mini-batches; false where none is known.
bool trains_in_batches(const Json& train);

/// The optimizer where none is named, by the model's type and what else is asked of it.
std::string default_method(const std::string& model, const MethodChoice& choice);

/// Reports a method that cannot find the model, as far as the file tells. `train` is what was read.
void check_method(const Json& train, const MethodChoice& choice, const Where& stage,
                  Diagnostics& diagnostics);

}  // namespace kernmill
