#pragma once
#include "kernmill/cli/arguments.hpp"

namespace kernmill::cli::doctor {

void add_io_options(boost::program_options::options_description& options);

/// `kernmill doctor --io DIR`: measures how fast datasets are written and read there. Returns the exit
/// status. Throws UsageError for a directory that is not there, cannot be written, or has no room.
int measure_io(const Arguments& arguments);

}  // namespace kernmill::cli::doctor
