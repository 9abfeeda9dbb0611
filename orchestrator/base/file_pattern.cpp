#include "kernmill/base/file_pattern.hpp"

#include <algorithm>
#include <system_error>

#include <fnmatch.h>

namespace kernmill {

bool is_file_pattern(std::string_view name) {
  return name.find_first_of("*?[") != std::string_view::npos;
}

std::vector<std::string> files_of_pattern(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code none;
  if (fs::exists(path, none)) return {path.string()};
  const std::string pattern = path.filename().string();
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<std::string> files;
  for (fs::directory_iterator at(folder, none), end; !none && at != end; at.increment(none))
    if (::fnmatch(pattern.c_str(), at->path().filename().c_str(), FNM_PERIOD) == 0)
      files.push_back((path.parent_path() / at->path().filename()).string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace kernmill
