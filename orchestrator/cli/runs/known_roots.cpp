#include "kernmill/cli/runs/known_roots.hpp"

#include <algorithm>
#include <sstream>
#include <system_error>

#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/os/replace_file.hpp"
#include "kernmill/run/directory/trust.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

constexpr std::size_t most_roots = 100;

/// Empty: this user has no such folder.
fs::path file_of_roots() {
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty())
    return fs::path(state) / "kernmill" / "roots";
  const std::string home = environment("HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".local" / "state" / "kernmill" / "roots";
}

}  // namespace

std::vector<fs::path> known_run_roots() {
  std::vector<fs::path> roots;
  const fs::path file = file_of_roots();
  if (file.empty()) return roots;
  std::istringstream lines(read_own_file(file).value_or(""));
  std::error_code none;
  for (std::string line; std::getline(lines, line);)
    if (fs::path(line).is_absolute() && fs::is_directory(line, none)) roots.emplace_back(line);
  return roots;
}

void remember_run_root(const fs::path& root) noexcept {
  try {
    const fs::path file = file_of_roots();
    if (file.empty() || root.string().find('\n') != std::string::npos) return;
    std::vector<fs::path> roots = known_run_roots();
    if (!roots.empty() && roots.front() == root) return;
    std::erase(roots, root);
    roots.insert(roots.begin(), root);
    roots.resize(std::min(roots.size(), most_roots));
    std::string text;
    for (const fs::path& one : roots) text += one.string() + "\n";
    replace_file(file, text);
  } catch (...) {  // the next run notes it
  }
}

}  // namespace kernmill::cli
