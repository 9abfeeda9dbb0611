#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace kernmill {

/// The last lines of a file, however long it is: 64 KiB of it at most, blank lines left out. None when there
/// is no such file.
std::vector<std::string> last_lines(const std::filesystem::path& file, std::size_t count);

}  // namespace kernmill
