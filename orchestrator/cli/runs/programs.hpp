#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/run/cache/recipe.hpp"
#include "kernmill/workflow/workflow.hpp"

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

/// What the keys of results depend on beside the workflow: these programs, and this process's environment.
ProgramDigests digests_of(const Programs& programs, DigestStore& digests);

/// The environment that jobs start with: a few variables of this process, nothing else.
std::vector<std::pair<std::string, std::string>> job_environment(const Programs& programs);

/// What the jobs of a stage are handed over of this process's environment, since its `env`, its `pass_env` or
/// the run's key says so, by the names that they have on the way.
std::vector<std::pair<std::string, std::string>> handed_over(const Workflow& workflow, const Stage& stage);
/// Throws UsageError for a stage that would hand all of it over to a cluster.
void check_passed_to_cluster(const Workflow& workflow);
/// Throws UsageError that lists the variables that are not set and who needs them.
void check_variables(const Workflow& workflow);

/// The value of an environment variable, or `otherwise` when it is not set or empty.
std::string environment(const char* name, const std::string& otherwise = {});

}  // namespace kernmill::cli
