#include "kernmill/workflow/env_source.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>
#include <fnmatch.h>

#include "kernmill/workflow/command_stage.hpp"

namespace kernmill {
namespace {

/// The last word of API_KEY, apiKey or api-key, in small letters.
std::string last_word(std::string_view name) {
  std::string word;
  for (auto c = name.rbegin(); c != name.rend() && std::isalnum(static_cast<unsigned char>(*c)) != 0; ++c) {
    const bool small = std::islower(static_cast<unsigned char>(*c)) != 0;
    if (!word.empty() && small && std::isupper(static_cast<unsigned char>(word.back())) != 0) break;
    word += *c;
  }
  std::reverse(word.begin(), word.end());
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

void add(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

bool is_everything(const std::string& pattern) {
  return pattern == "all" || pattern == "*";
}

bool is_of_this_shell(const std::string& variable) {
  for (const char* prefix : {"OMP_", "MPI_", "MPICH_", "OMPI_"})
    if (variable.starts_with(prefix)) return true;
  constexpr std::array names{"_", "PWD", "OLDPWD", "SHLVL", "OPENBLAS_NUM_THREADS"};
  return std::find(names.begin(), names.end(), variable) != names.end();
}

}  // namespace

std::optional<EnvSource> env_source(const Json& value) {
  if (!value.is_object()) return {};
  if (value.value("from", "") == "file") return EnvSource{EnvSource::From::file, value.value("path", "")};
  return EnvSource{EnvSource::From::environment, value.value("name", "")};
}

std::vector<std::string> variables_needed(const Workflow& workflow, const Stage& stage) {
  std::vector<std::string> names;
  for (const auto& [variable, value] : stage.env.items())
    if (const auto source = env_source(value); source && source->from == EnvSource::From::environment)
      add(names, source->name);
  if (takes_key_from_environment(workflow, stage)) add(names, workflow.encryption.key_env);
  return names;
}

bool takes_key_from_environment(const Workflow& workflow, const Stage& stage) {
  const std::string& key = workflow.encryption.key_env;
  return !runs_command(stage) && !key.empty() && !stage.env.contains(key);
}

std::string handed_over_name(std::string_view variable) {
  return fmt::format("KERNMILL_FROM_ENV_{}", variable);
}

bool is_passed(const Stage& stage, const std::string& variable) {
  for (const char* never :
       {"KERNMILL_", "SLURM_", "SLURMD_", "PMI_", "PMIX_", "HYDRA_", "HYDI_", "BASH_FUNC_"})
    if (variable.starts_with(never)) return false;
  return std::any_of(stage.pass_env.begin(), stage.pass_env.end(), [&](const std::string& pattern) {
    if (is_everything(pattern)) return !is_of_this_shell(variable);
    return ::fnmatch(pattern.c_str(), variable.c_str(), 0) == 0;
  });
}

bool passes_everything(const Stage& stage) {
  return std::any_of(stage.pass_env.begin(), stage.pass_env.end(), is_everything);
}

Variables passed_variables(const Stage& stage, const Variables& environment) {
  Variables passed;
  if (stage.pass_env.empty()) return passed;
  for (const auto& variable : environment)
    if (is_passed(stage, variable.first)) passed.push_back(variable);
  return passed;
}

std::string passed_name(std::string_view variable) {
  return fmt::format("KERNMILL_PASSED_{}", variable);
}

bool looks_like_a_secret(std::string_view name, std::string_view value) {
  constexpr std::size_t shortest = 8;
  constexpr std::array words{"token",   "tokens",     "password",    "passwd", "passphrase", "secret",
                             "secrets", "credential", "credentials", "apikey", "key"};
  const bool may_be_one = value.size() >= shortest && value.find_first_of(" \t\n<[{$") == value.npos &&
                          value.find_first_of("/~.") != 0 &&
                          value.find_first_not_of("0123456789.") != value.npos;
  return may_be_one && std::find(words.begin(), words.end(), last_word(name)) != words.end();
}

}  // namespace kernmill
