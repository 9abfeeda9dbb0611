#pragma once
#include "kernmill/cli/arguments.hpp"

namespace kernmill::cli {

/// `kernmill data import FILE -o OUTPUT [SETTING=VALUE...]`: runs a workflow of one preprocess stage, of
/// which only the dataset stays, and the list of the rows that were left out. Returns the exit status.
int import_data(const Arguments& arguments, const Hooks& hooks);

}  // namespace kernmill::cli
