#pragma once
#include <filesystem>
#include <string>

#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Collective. Writes the ranks' texts one after another, in parallel, into a file that is there whole, or
/// not at all.
void write_in_rank_order(const Communicator& comm, const std::filesystem::path& file,
                         const std::string& text);

/// A field of a CSV file, quoted when it has to be.
std::string csv_field(const std::string& text);

}  // namespace kernmill::tasks
