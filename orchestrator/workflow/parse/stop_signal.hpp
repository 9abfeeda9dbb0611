#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "kernmill/workflow/text/diagnostic.hpp"
#include "kernmill/workflow/value/value.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// What `signal:` says: USR1@120.
struct StopSignal {
  std::string name;              ///< "USR1"; empty: as without the key
  std::chrono::seconds lead{0};  ///< before the time limit; 0: as without the key
};

/// Reads it as sbatch's --signal has it: a bare number is seconds. Nothing when it is a mistake.
std::optional<StopSignal> read_stop_signal(const Value& value, Diagnostics& diagnostics);

/// Warns of a time limit that is so short that the signal comes before half of it is over.
void check_stop_signal(const Stage& stage, const Where& where, Diagnostics& diagnostics);

}  // namespace kernmill
