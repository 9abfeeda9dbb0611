#pragma once
#include <string>

#include "kernmill/workflow/parse/draft.hpp"

namespace kernmill {

/// What an expression at some place may speak of, beside `params`.
struct TemplateScope {
  bool matrix = true;
  bool stages = true;
  std::string place;   ///< how messages call the place: "'resources'"
  bool point = false;  ///< of a trial that runs a command
};

/// Evaluates `params.*` in every string of `value` and checks all names; those of stages are added to
/// `stage.uses`. What is wrong is reported and left as it stands.
Value resolve_templates(Value value, const TemplateScope& scope, const Draft& draft, StageDraft& stage);

}  // namespace kernmill
