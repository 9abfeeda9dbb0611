#include "victims.hpp"

#include <optional>
#include <string>

#include "kernmill/os/process.hpp"
#include "program.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> words_of(const fs::path& process) {
  std::vector<std::string> words;
  const std::string all = content(process / "cmdline");
  for (std::size_t at = 0; at < all.size();) {
    words.emplace_back(all.c_str() + at);
    at += words.back().size() + 1;
  }
  return words;
}

std::optional<Role> role_of_kernmill(const std::vector<std::string>& words, bool on_cluster) {
  const std::string verb = words.size() > 1 ? words[1] : "";
  if (verb == "run" || (verb == "resume" && !on_cluster)) return Role::conductor;
  if (verb == "submit" || verb == "resume") return Role::submitter;
  if (verb == "status") return Role::status;
  return {};
}

Role role_of_exec(const fs::path& process, const std::vector<std::string>& words) {
  if (content(process / "comm") == "kernmill-guard\n") return Role::pack_guard;
  for (const std::string& word : words)
    if (word == "--close") return Role::closing_job;
  return Role::exec;
}

bool is_any_below(const std::vector<std::string>& words, const fs::path& folder) {
  for (const std::string& word : words)
    if (word.starts_with(folder.string() + "/")) return true;
  return false;
}

std::optional<Role> role_of(const fs::path& process, const fs::path& folder, bool on_cluster) {
  const auto words = words_of(process);
  if (words.empty()) return {};
  const std::string program = fs::path(words.front()).filename();
  std::error_code gone;
  if (program == "kernmill" && fs::read_symlink(process / "cwd", gone) == folder)
    return role_of_kernmill(words, on_cluster);
  if (program == "kernmill-exec" && is_any_below(words, folder)) return role_of_exec(process, words);
  if (program != "srun" && program != "kernmill-task") return {};
  const std::string environment = '\0' + content(process / "environ");
  if (environment.find(std::string(1, '\0') + "KERNMILL_RUN=" + folder.string() + "/") == std::string::npos)
    return {};
  return program == "srun" ? Role::srun : Role::rank;
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::conductor:
      return "conductor";
    case Role::submitter:
      return "submitter";
    case Role::status:
      return "status";
    case Role::exec:
      return "kernmill-exec";
    case Role::pack_guard:
      return "guard of a pack";
    case Role::closing_job:
      return "closing job";
    case Role::srun:
      return "srun";
    case Role::rank:
      return "rank";
  }
  return "?";
}

std::vector<Victim> victims_in(const fs::path& folder, bool on_cluster) {
  std::vector<Victim> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const int pid = std::stoi(name);
    // The start time first: should the number change hands in between, the kill does not reach anybody.
    const std::uint64_t start_time = start_time_of(pid);
    if (start_time == 0) continue;
    if (const auto role = role_of(entry.path(), folder, on_cluster))
      found.push_back({pid, start_time, *role});
  }
  return found;
}

}  // namespace kernmill::testing
