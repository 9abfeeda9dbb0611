#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"

namespace kernmill::tasks {

/// Collective. How many of the rows each class of the target has; nothing where it has none.
std::vector<std::uint64_t> class_counts(const Communicator& comm, const Rows& rows);

}  // namespace kernmill::tasks
