#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// Where a variable gets its value when the job runs, so that the value is written nowhere (ADR 0011):
/// `env: {TOKEN: {from: env}}`.
struct EnvSource {
  enum class From {
    environment,  ///< of whoever starts or submits the run
    file,
  };
  From from = From::environment;
  std::string name;  ///< of the variable there, or the file's absolute path
};

/// What stands in a stage's `env`; nothing for a plain value.
std::optional<EnvSource> env_source(const Json& value);

/// The names of the variables that the jobs of a stage need of whoever starts them: those of `from: env`, and
/// the key of a task that encrypts.
std::vector<std::string> variables_needed(const Workflow& workflow, const Stage& stage);

/// Whether it is a task that encrypts with a key of that environment: a command gets what its `env` names,
/// and so does a task whose `env` has the variable.
bool takes_key_from_environment(const Workflow& workflow, const Stage& stage);

/// What such a variable is called on its way to the job: there it changes nothing but what asks for it.
std::string handed_over_name(std::string_view variable);

/// Whether a name says that its value is a secret, and the value may be one: TOKEN, db_password, apiKey.
bool looks_like_a_secret(std::string_view name, std::string_view value);

}  // namespace kernmill
