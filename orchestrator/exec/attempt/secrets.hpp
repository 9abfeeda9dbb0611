#pragma once
#include <string>

#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/workflow/env_source.hpp"

namespace kernmill::exec {

/// The variables that the stage's `pass_env` names, by their own names, as they have come with the job.
Environment passed_to_job(const Environment& environment);

/// The values that the plan names and does not hold: those that the job was handed over in its environment,
/// and those in files.
class HandedOver {
 public:
  /// Takes them out of the environment: a program gets what its stage asks for, by the name that it asks for.
  explicit HandedOver(Environment& environment);

  /// What the stage's `pass_env` names.
  [[nodiscard]] const Environment& passed() const { return passed_; }
  /// The value of that variable. Throws AttemptError that says what is missing and what to do; never the
  /// value.
  [[nodiscard]] std::string value_of(const std::string& variable, const EnvSource& source) const;

 private:
  Environment values_, passed_;
};

}  // namespace kernmill::exec
