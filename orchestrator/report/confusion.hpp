#pragma once
#include <string>

#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// The confusion matrix of an evaluation.json as a table: rows are true classes, columns predicted ones;
/// then what it says of each class. Empty when there is none (a numeric target), or more classes than a
/// terminal shows.
std::string confusion_text(const Json& evaluation);

}  // namespace kernmill
