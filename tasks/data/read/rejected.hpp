#pragma once
#include <filesystem>
#include <vector>

#include "kernmill/tasks/data/read/input.hpp"

namespace kernmill::tasks {

/// Collective. Writes `rejected.csv`: the ranks' bad rows, in the order of the input.
void write_rejected(const Communicator& comm, const std::filesystem::path& file,
                    const std::vector<RejectedRow>& rejected, const Scratch& scratch);

}  // namespace kernmill::tasks
