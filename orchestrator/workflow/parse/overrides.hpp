#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// NAME and VALUE of `--set NAME=VALUE`; of `--set ~PATH` the value is empty.
using Setter = std::pair<std::string, std::string>;

/// Whether it changes a key of the file: `stages.fit.model.l2`, `+PATH`, `~PATH`. Else it gives a parameter a
/// value.
bool is_override(std::string_view name);

/// Changes a workflow as it was read: `a.b=v` replaces what is there, `+a.b=v` adds a key or an item of a
/// list,
/// `~a.b` removes. A path may begin with a stage's name. Mistakes are shown in the words of `--set`.
void apply_override(Value& root, const Setter& setter, Diagnostics& diagnostics);

/// Gives the stages of a checked workflow other resources: `time=10` all of them, `fit.mem=8G` and
/// `fit.resources.mem=8G` one. Anything else is a mistake.
void set_resources(Workflow& workflow, const std::vector<Setter>& setters, Diagnostics& diagnostics);

}  // namespace kernmill
