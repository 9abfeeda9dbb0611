#pragma once
#include "kernmill/base/exit_status.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::cli {

/// Places where a test may end the process.
struct Hooks {
  JournalWriter::Hook journal;  ///< around each record of the conductor's journal
};

/// The program `kernmill`. Returns its exit status; throws nothing.
int main(int argc, char** argv, const Hooks& hooks = {});

}  // namespace kernmill::cli
