#pragma once
#include <filesystem>

#include "kernmill/exec/attempt/attempt.hpp"

namespace kernmill::exec {

/// What $KERNMILL_GATHERED names: the table of the stage that the attempt gathers, or the folder of the
/// tables when they are several. Empty: it gathers none.
std::filesystem::path gathered_path(const Attempt& attempt);

/// Writes a table of each stage that the attempt gathers, `gathered/STAGE.csv` and `.json` in its directory:
/// a row for each instance that has committed. Throws std::system_error that names the file.
void write_gathered(const Attempt& attempt);

}  // namespace kernmill::exec
