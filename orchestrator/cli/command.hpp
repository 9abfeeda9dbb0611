#pragma once
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernmill/cli/cli.hpp"

namespace kernmill::cli {

/// The user typed something that cannot be meant. Ends the program with exit_usage.
struct UsageError : std::runtime_error {
  explicit UsageError(const std::string& message, std::string help_text = {})
      : std::runtime_error(message), help(std::move(help_text)) {}
  std::string help;
};

/// One of kernmill's commands.
struct Command {
  const char* name;
  const char* summary;   ///< one line of `kernmill --help`
  const char* synopsis;  ///< what follows the name: "WORKFLOW [options]"
  const char* examples;  ///< lines; each with its own indent
  /// Arguments exclude the program's and the command's name. Returns the exit status.
  int (*run)(const Command& self, const std::vector<std::string>& arguments, const Hooks& hooks);
};

/// All commands, in the order in which help lists them.
std::span<const Command> commands();

extern const Command validate_command, plan_command, run_command, submit_command, resume_command,
    status_command, results_command, logs_command, explain_command, cancel_command, clean_command,
    audit_command, data_command, model_command, doctor_command, version_command;

}  // namespace kernmill::cli
