#pragma once
#include <stdexcept>
#include <string>
#include <utility>

namespace kernmill::tasks {

/// Why a task failed, as error.json tells it: what is wrong, where in the user's input ("file:line:column",
/// or empty), and what to do about it.
class TaskError : public std::runtime_error {
 public:
  explicit TaskError(const std::string& message, std::string place = {}, std::string advice = {})
      : std::runtime_error(message), where(std::move(place)), help(std::move(advice)) {}
  std::string where;
  std::string help;
};

/// The training went astray: its loss is no finite number. A search goes on without such a trial.
class Diverged : public TaskError {
 public:
  using TaskError::TaskError;
};

/// The command line or spec.json is unusable (exit status 2): the caller's mistake, not one in the data.
class SpecError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown on every rank at the same step when the program was asked to stop (exit status 75). A kind that can
/// be continued writes its checkpoint before it throws this.
struct Stopped {};

}  // namespace kernmill::tasks
