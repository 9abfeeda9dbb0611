#include "kernmill/cli/runs/programs.hpp"

#include <cstdlib>
#include <sstream>

#include <unistd.h>

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

fs::path in_path(const std::string& name) {
  std::istringstream folders(environment("PATH", "/usr/bin:/bin"));
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((fs::path(folder) / name).c_str(), X_OK) == 0) return fs::path(folder) / name;
  return name;
}

fs::path find(const char* variable, const std::string& name) {
  if (const std::string named = environment(variable); !named.empty()) return fs::absolute(named);
  std::error_code unreadable;
  const fs::path beside = fs::read_symlink("/proc/self/exe", unreadable).parent_path() / name;
  return access(beside.c_str(), X_OK) == 0 ? beside : in_path(name);
}

}  // namespace

std::string environment(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

Programs find_programs() {
  return {find("KERNMILL_EXEC", "kernmill-exec"), find("KERNMILL_TASK", "kernmill-task"),
          find("KERNMILL_STORAGE", "kernmill-storage")};
}

std::vector<std::pair<std::string, std::string>> job_environment(const Programs& programs) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const char* name : {"PATH", "HOME", "USER", "LANG", "TMPDIR", "KERNMILL_LAUNCHER_TEMPLATE"})
    if (const std::string value = environment(name); !value.empty()) variables.emplace_back(name, value);
  variables.emplace_back("KERNMILL_TASK", programs.task.string());
  return variables;
}

}  // namespace kernmill::cli
