#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace kernmill {

/// Whether a name has a sign in it that makes it a pattern: `*`, `?` or `[`.
bool is_file_pattern(std::string_view name);

/// The files that a path stands for: the file of that name, or those of its folder whose names match its last
/// part as a pattern (`*`, `?`, `[...]`), by name. Signs in the name of a folder mean nothing else there.
/// Empty when there are none.
std::vector<std::string> files_of_pattern(const std::filesystem::path& path);

}  // namespace kernmill
