#pragma once
#include <cstdint>
#include <optional>

#include "kernmill/tasks/data/read/input.hpp"

namespace kernmill::tasks {

/// Collective. Reads the input again, to tell where in it a row stands that does not satisfy the selection:
/// its first bad value, on every rank. Throws TaskError when there is no such row any more.
RejectedRow locate_row(const Communicator& comm, const Input& input, Selection selection, std::uint64_t row);

}  // namespace kernmill::tasks
