#pragma once
#include <filesystem>
#include <string>

namespace kernmill {

/// Puts `content` in the place of a file that is this user's alone, 0600 (beside it, then renamed): readers
/// see all of the old or all of the new, whoever else does the same on this or another machine. Makes missing
/// directories, 0700. Not durable: a machine that stops may leave the file empty. Throws std::system_error
/// that names the path.
void replace_file(const std::filesystem::path& path, const std::string& content);

}  // namespace kernmill
