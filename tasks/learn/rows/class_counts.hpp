#pragma once
#include <cstdint>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"

namespace kernmill::tasks {

/// Collective. How many of the rows each class of the target has, those without weight aside where they are
/// weighted; nothing where the target has no classes.
std::vector<std::uint64_t> class_counts(const Communicator& comm, const Rows& rows);

/// How many classes none of the rows has: nothing can be learnt of them, as rank 0 says on stderr.
std::uint64_t warn_of_missing_classes(const Communicator& comm, const storage::Schema& schema,
                                      const std::vector<std::uint64_t>& counts);

}  // namespace kernmill::tasks
