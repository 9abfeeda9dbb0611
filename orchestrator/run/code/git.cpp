#include "kernmill/run/code/git.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include <fmt/format.h>
#include <sys/wait.h>

#include "kernmill/base/shell_word.hpp"

namespace kernmill {
namespace {

struct GitAnswer {
  int status = 0;
  std::string text;
};

GitAnswer ask_git(const std::string& folder, const std::string& question) {
  const std::string command =
      fmt::format("GIT_OPTIONAL_LOCKS=0 LC_ALL=C git -c core.fsmonitor=false -C {} {}",
                  quoted_for_shell(folder), question);
  FILE* pipe = ::popen(command.c_str(), "re");
  if (pipe == nullptr) throw NoCode("git cannot be started", "");
  GitAnswer answer;
  std::array<char, 65536> piece{};
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), pipe)) > 0;)
    answer.text.append(piece.data(), got);
  const int status = ::pclose(pipe);
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return answer;
}

std::string without_line_end(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string root_of(const std::string& folder) {
  const GitAnswer root = ask_git(folder, "rev-parse --show-toplevel 2>&1");
  const std::string said = without_line_end(root.text);
  constexpr int not_found = 127;
  if (root.status == not_found)
    throw NoCode("`snapshot: git` needs git, which is not installed here",
                 "load its module, or name the files: snapshot: [train.py, src/]");
  if (root.status != 0)
    throw NoCode(fmt::format("git does not tell what it tracks in {}: {}", folder, said),
                 said.find("not a git repository") == std::string::npos
                     ? "mend that, or name the files: snapshot: [train.py, src/]"
                     : "git init, git add; or name the files: snapshot: [train.py, src/]");
  return said;
}

}  // namespace

GitTree git_tree(const std::string& folder) {
  GitTree tree;
  tree.root = root_of(folder);
  if (const GitAnswer head = ask_git(tree.root, "rev-parse --verify --quiet HEAD"); head.status == 0)
    tree.commit = without_line_end(head.text);
  const GitAnswer listed = ask_git(tree.root, "ls-files -z --recurse-submodules");
  const GitAnswer changes = ask_git(tree.root, "status --porcelain --untracked-files=no");
  if (listed.status != 0 || changes.status != 0)
    throw NoCode(fmt::format("git does not list what it tracks in {}", tree.root),
                 "git status in that folder says why");
  tree.dirty = !changes.text.empty();
  for (std::size_t at = 0; at < listed.text.size();) {
    const std::size_t end = std::min(listed.text.find('\0', at), listed.text.size());
    std::string file = listed.text.substr(at, end - at);
    at = end + 1;
    std::error_code none;
    const auto status = std::filesystem::symlink_status(std::filesystem::path(tree.root) / file, none);
    if (std::filesystem::is_regular_file(status) || std::filesystem::is_symlink(status))
      tree.files.push_back(std::move(file));
  }
  std::sort(tree.files.begin(), tree.files.end());
  tree.files.erase(std::unique(tree.files.begin(), tree.files.end()), tree.files.end());
  return tree;
}

}  // namespace kernmill
