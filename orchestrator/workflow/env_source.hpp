#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

using Variables = std::vector<std::pair<std::string, std::string>>;

/// Whether a stage's `pass_env` has it: by name, by a pattern with * and ?, or by `all`. What belongs to
/// Kernmill or to an outer job is never passed; `all` leaves out what a shell keeps for itself, and how many
/// threads a program has.
bool is_passed(const Stage& stage, const std::string& variable);

/// Whether its `pass_env` is `all`.
bool passes_everything(const Stage& stage);

/// Those of `environment` that are passed.
Variables passed_variables(const Stage& stage, const Variables& environment);

/// What a passed variable is called on its way to the job, as `handed_over_name`.
std::string passed_name(std::string_view variable);

/// Whether a name says that its value is a secret, and the value may be one: TOKEN, db_password, apiKey.
bool looks_like_a_secret(std::string_view name, std::string_view value);

}  // namespace kernmill
