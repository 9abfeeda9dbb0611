#pragma once
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::cli {

/// What a process exits with (DESIGN.md, "Command line").
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_unavailable = 3,
  exit_interrupted = 130,
};

/// Places where a test may end the process.
struct Hooks {
  JournalWriter::Hook journal;  ///< around each record of the conductor's journal
};

/// The program `kernmill`. Returns its exit status; throws nothing.
int main(int argc, char** argv, const Hooks& hooks = {});

}  // namespace kernmill::cli
