#pragma once
#include <string>
#include <vector>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/attempt/reduce.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// How a command starts ranks itself.
struct Launch {
  std::vector<std::string> words;
  int nodes = 1;             ///< that they run on
  std::string rendezvous{};  ///< where they find each other; empty: a port is looked for
};

/// The words that run a command stage: bash, which stops at the first command that fails, with the stage's
/// modules loaded and its setup lines run before; `restart` in place of `run` as `takes_restart` says.
std::vector<std::string> command_words(const Attempt& attempt);

/// Sets what runs a command stage: command_words, or the command by itself where a shell would only start it.
/// The environment of `spawn` has to be set.
void set_command(SpawnOptions& spawn, const Attempt& attempt);

/// command_words without the modules and the setup lines.
std::vector<std::string> command_words_alone(const Attempt& attempt);

/// `words` as they are, or, where the stage has modules or setup lines, by way of a shell that runs those
/// first.
std::vector<std::string> with_setup(const Stage& stage, const std::vector<std::string>& words);

/// `words`, with a shell's text that is too long for a word of a command line (128 KiB) put into a file of
/// the attempt. Throws std::system_error that names the file.
std::vector<std::string> with_long_texts_in_files(const Attempt& attempt,
                                                  const std::vector<std::string>& words);

/// What the stage's `pass_env` names, its `env`, references resolved and secrets fetched, a task's key, and
/// KERNMILL_RUN, _STAGE, _INSTANCE and _ATTEMPT; for a command also what it may use and leave. Throws
/// AttemptError.
void add_variables(Environment& environment, const Attempt& attempt, const Launch& launch);

/// Collects what a command left: the outputs it declared, and the lines of its KERNMILL_METRICS file; one
/// that is no `name=value` is told on stderr, with file and line. Throws AttemptError for an output that is
/// not there.
Leavings command_leavings(const Attempt& attempt);

}  // namespace kernmill::exec
