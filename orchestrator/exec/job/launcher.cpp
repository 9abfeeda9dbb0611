#include "kernmill/exec/job/launcher.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include <unistd.h>

#include "kernmill/run/directory/trust.hpp"

namespace kernmill::exec {
namespace {

void replace(std::string& text, std::string_view what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

bool belongs_to_outer_job(std::string_view name) {
  for (const std::string_view prefix : {"PMI_", "PMIX_", "SLURM_", "HYDRA_", "HYDI_", "MPI_", "MPICH_"})
    if (name.starts_with(prefix)) return true;
  return name == vouched_variable || name == "PMI_FD" || name == "GFORTRAN_UNBUFFERED_PRECONNECTED";
}

}  // namespace

std::vector<std::string> launch_words(const std::string& launch_template, const Resources& resources) {
  std::istringstream words(launch_template);
  std::vector<std::string> result;
  for (std::string word; words >> word;) {
    replace(word, "{ntasks}", std::to_string(resources.ntasks));
    replace(word, "{cpus_per_task}", std::to_string(resources.cpus_per_task));
    replace(word, "{nodes}", std::to_string(std::max(1, resources.nodes_min)));
    result.push_back(word);
  }
  return result;
}

Environment step_environment(const Environment& own, const Resources& resources) {
  Environment environment;
  for (const auto& variable : own)
    if (!belongs_to_outer_job(variable.first)) environment.push_back(variable);
  const std::string threads = std::to_string(resources.cpus_per_task);
  set(environment, "HYDRA_LAUNCHER", "fork");  // hydra would start ranks through an outer Slurm job
  set(environment, "MPIR_CVAR_ENABLE_HEAVY_YIELD", "1");  // more ranks than cores must not starve each other
  set(environment, "OPENBLAS_NUM_THREADS", threads);
  set(environment, "OMP_NUM_THREADS", threads);
  set(environment, "OMP_PROC_BIND", "false");  // steps side by side would all be bound to the first cores
  return environment;
}

void set(Environment& environment, const std::string& name, const std::string& value) {
  for (auto& variable : environment)
    if (variable.first == name) {
      variable.second = value;
      return;
    }
  environment.emplace_back(name, value);
}

Environment own_environment() {
  Environment result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos)
      result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

std::string value_of(const Environment& environment, const std::string& name) {
  for (const auto& [key, value] : environment)
    if (key == name) return value;
  return {};
}

int number_of(const Environment& environment, const std::string& name, int otherwise) {
  const std::string text = value_of(environment, name);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

}  // namespace kernmill::exec
