#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kernmill::cli {

/// The programs of an installation that work together.
struct Programs {
  std::filesystem::path exec;     ///< kernmill-exec
  std::filesystem::path task;     ///< kernmill-task
  std::filesystem::path storage;  ///< kernmill-storage
};

/// Finds them: KERNMILL_EXEC, KERNMILL_TASK and KERNMILL_STORAGE, else beside the running program, else in
/// PATH. One that is nowhere keeps its bare name.
Programs find_programs();

/// The environment that jobs start with: a few variables of this process, nothing else.
std::vector<std::pair<std::string, std::string>> job_environment(const Programs& programs);

/// The value of an environment variable, or `otherwise` when it is not set or empty.
std::string environment(const char* name, const std::string& otherwise = {});

}  // namespace kernmill::cli
