#include "kernmill/cli/cli.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/standard_streams.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/command.hpp"
#include "kernmill/report/shown_streams.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/workflow/text/diagnostic.hpp"

namespace kernmill::cli {
namespace {

std::string overview() {
  TextTable table({}, "  ");
  for (const Command& command : commands()) table.row({command.name, command.summary});
  return fmt::format(
      "Examples:\n"
      "  kernmill validate iris_svm.yaml      every mistake at once, with its place\n"
      "  kernmill plan iris_svm.yaml          what would run, and why\n"
      "  kernmill run iris_svm.yaml           run it here\n"
      "  kernmill submit iris_svm.yaml        give it to Slurm, and log out\n"
      "  kernmill status                      the state of the last run\n"
      "  kernmill resume last                 go on with it\n\n"
      "Kernmill runs machine-learning workflows written in YAML.\n\n"
      "Usage: kernmill COMMAND [options]\n\n"
      "Commands:\n{}\n"
      "`kernmill COMMAND --help` says more. RUN is a run's name, a unique beginning of it, or `last`.\n"
      "Exit status: 0 done, 1 the workflow failed, 2 usage or an invalid workflow,\n"
      "3 the scheduler or something else is not available, 130 interrupted.\n",
      table.text());
}

const Command* find_command(std::string_view name) {
  for (const Command& command : commands())
    if (name == command.name) return &command;
  return nullptr;
}

const Command& command_or_throw(const std::string& name) {
  if (const Command* command = find_command(name)) return *command;
  std::vector<std::string> names;
  for (const Command& command : commands()) names.emplace_back(command.name);
  const std::string meant = did_you_mean(name, names, "kernmill {}");
  throw UsageError(fmt::format("kernmill: unknown command '{}'", name),
                   meant.empty() ? "see kernmill --help" : meant);
}

int dispatch(std::vector<std::string> words, const Hooks& hooks) {
  if (words.empty()) {
    std::fputs(overview().c_str(), stderr);
    return exit_usage;
  }
  std::string name = words.front();
  words.erase(words.begin());
  if (name == "help" && !words.empty()) {
    name = words.front();
    words = {"--help"};
  }
  if (name == "help" || name == "--help" || name == "-h") {
    std::fputs(overview().c_str(), stdout);
    return exit_done;
  }
  if (name == "--version") name = "version";
  const Command& command = command_or_throw(name);
  return command.run(command, words, hooks);
}

int complain(const std::string& message, const std::string& help, ExitStatus code) {
  fmt::print(stderr, "error: {}\n", message);
  if (!help.empty()) fmt::print(stderr, "help: {}\n", help);
  return code;
}

}  // namespace

std::span<const Command> commands() {
  static const std::array list{validate_command, plan_command,   run_command,     submit_command,
                               resume_command,   status_command, results_command, logs_command,
                               explain_command,  cancel_command, clean_command,   audit_command,
                               data_command,     model_command,  doctor_command,  version_command};
  return list;
}

int main(int argc, char** argv, const Hooks& hooks) try {
  open_standard_streams();
  filter_standard_streams();
  const int status = dispatch({argv + 1, argv + argc}, hooks);
  flush_standard_output();
  return status;
} catch (const UsageError& error) {
  return complain(error.what(), error.help, exit_usage);
} catch (const RunIsLocked& error) {
  return complain(error.what(), "wait for it, or end it with kernmill cancel", exit_unavailable);
} catch (const std::system_error& error) {
  const bool is_full = error.code() == std::errc::no_space_on_device || error.code().value() == EDQUOT;
  return complain(error.what(), is_full ? "make room there; kernmill resume goes on with a run" : "",
                  exit_unavailable);
} catch (const std::exception& error) {
  return complain(error.what(), "", exit_unavailable);
}

}  // namespace kernmill::cli
