#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/exec/job/batch_place.hpp"
#include "kernmill/exec/stall/stall_watch.hpp"
#include "kernmill/workflow/resources.hpp"

namespace kernmill::exec {

/// How the processes with a token are looked at on every node of a job: this program, by an srun of its own
/// that shares the nodes with the step. None where the job has one node.
OtherNodes other_nodes(const BatchPlace& place, const Environment& own, const std::string& token,
                       const std::string& rank_program, const std::filesystem::path& stacks);

/// Carries out what `other_nodes` starts, and gives its exit status; nothing when the words are something
/// else.
std::optional<int> look_at_this_node(const std::vector<std::string>& words);

}  // namespace kernmill::exec
