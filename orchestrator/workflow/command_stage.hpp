#pragma once
#include <string>

#include "kernmill/workflow/workflow.hpp"

/// Stages that run a command of their author's: commands, and searches whose trials are runs of one.
namespace kernmill {

/// Whether each instance of the stage, the reduce of a search aside, is a run of its `run:`.
bool runs_command(const Stage& stage);

/// Whether the stage is a search whose trials run a command.
bool searches_with_command(const Stage& stage);

/// The environment variable that holds a value of a trial's point: KERNMILL_POINT_<NAME>.
std::string point_variable(const std::string& name);

/// The value that a trial of the search is judged by, in what it has left; null: it has none.
Json trial_value(const Stage& search, const Json& metrics);

}  // namespace kernmill
