#pragma once
#include <string>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"

namespace kernmill::tasks {

/// Collective. The classes of the target that none of the rows has: nothing can be learnt of them.
std::vector<std::string> missing_classes(const Communicator& comm, const Rows& rows);

}  // namespace kernmill::tasks
