#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill::exec {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// The words that start ranks, from a template such as `mpiexec -n {ntasks}`; {nodes} and {cpus_per_task} are
/// known, too.
std::vector<std::string> launch_words(const std::string& launch_template, const Resources& resources);

/// What a step gets of this process's environment, which the conductor has cleaned, and what keeps MPI, BLAS
/// and OpenMP to the cores it was given. What an outer MPI or Slurm job left in it is never passed on.
Environment step_environment(const Environment& own, const Resources& resources);

/// Sets a variable, in place of an older value.
void set(Environment& environment, const std::string& name, const std::string& value);

/// This process's environment.
Environment own_environment();
std::string value_of(const Environment& environment, const std::string& name);
/// A whole number in the environment; `otherwise` when it is not set or none.
int number_of(const Environment& environment, const std::string& name, int otherwise);

}  // namespace kernmill::exec
