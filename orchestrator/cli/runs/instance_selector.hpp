#pragma once
#include <string>

#include "kernmill/plan/plan.hpp"

namespace kernmill::cli {

/// Which instance "fit", "fit.3", "fit[3]" or "search.reduce" means: of a stage alone its first. Throws
/// UsageError that says which there are.
InstanceId chosen_instance(const Plan& plan, std::string text);

/// Whether the text names an instance, and not a stage alone.
bool names_instance(const std::string& text);

/// The stage of such a text: "fit" of "fit[3]".
std::string stage_in(const std::string& text);

}  // namespace kernmill::cli
