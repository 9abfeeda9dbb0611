#include "kernmill/cli/runs/programs.hpp"

#include <cstdlib>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/cli/command.hpp"
#include "kernmill/run/directory/trust.hpp"
#include "kernmill/workflow/env_source.hpp"

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

Variables passed_here(const Stage& stage) {
  if (stage.pass_env.empty()) return {};
  Variables all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const std::size_t equals = text.find('='); equals != std::string_view::npos)
      all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return passed_variables(stage, all);
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
  for (const char* name :
       {"PATH", "HOME", "USER", "LANG", "TMPDIR", "KERNMILL_LAUNCHER_TEMPLATE", vouched_variable})
    if (const std::string value = environment(name); !value.empty()) variables.emplace_back(name, value);
  variables.emplace_back("KERNMILL_TASK", programs.task.string());
  return variables;
}

std::vector<std::pair<std::string, std::string>> handed_over(const Workflow& workflow, const Stage& stage) {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const std::string& name : variables_needed(workflow, stage))
    if (const char* value = std::getenv(name.c_str())) variables.emplace_back(handed_over_name(name), value);
  for (const auto& [name, value] : passed_here(stage)) variables.emplace_back(passed_name(name), value);
  return variables;
}

void check_passed_to_cluster(const Workflow& workflow) {
  for (const Stage& stage : workflow.stages)
    if (passes_everything(stage))
      throw UsageError(
          fmt::format(
              "stage {} has `pass_env: all`, which is for runs on this machine: what a login node has "
              "set (paths, modules, sockets) misleads programs on other nodes",
              stage.name),
          "name what it needs: pass_env: [HF_HOME, WANDB_*]");
}

ProgramDigests digests_of(const Programs& programs, DigestStore& digests) {
  ProgramDigests all = program_digests(digests, programs.task, programs.exec);
  all.passed = passed_here;
  return all;
}

void check_variables(const Workflow& workflow) {
  std::string missing, names;
  for (const Stage& stage : workflow.stages)
    for (const std::string& name : variables_needed(workflow, stage)) {
      if (std::getenv(name.c_str()) != nullptr) continue;
      missing += fmt::format("{}{} (stage {})", missing.empty() ? "" : ", ", name, stage.name);
      if (names.empty()) names = name;
    }
  if (missing.empty()) return;
  throw UsageError(
      fmt::format("not set in your environment, from which the workflow takes it: {}", missing),
      fmt::format("export {}=...; it is handed over to the jobs, and written to no file", names));
}

}  // namespace kernmill::cli
