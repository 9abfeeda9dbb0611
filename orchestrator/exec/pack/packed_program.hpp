#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "kernmill/exec/attempt/attempt.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/exec/pack/slot_files.hpp"
#include "kernmill/os/core_sets.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// A place in an element where packed instances run one after another.
struct Place {
  unsigned number = 0, of = 1;
  CoreSet cores;             ///< empty: all
  std::string rendezvous{};  ///< of its instances of one rank; empty: each looks for its own
};

/// What an instance of a pack is started as.
struct PackedProgram {
  SpawnOptions spawn;
  std::string rank_program;                                       ///< as StepOptions has it
  std::chrono::milliseconds limit{0}, lead{0};                    ///< as StepOptions has them
  int signal = 0;                                                 ///< likewise
  std::chrono::milliseconds longest_end = kernmill::longest_end;  ///< as StepOptions has it
};

/// A task of one rank is started as it is, one of several by `launcher`; a command by a shell if it needs
/// one. Throws AttemptError.
PackedProgram packed_program(const Attempt& attempt, const Environment& own, const std::string& launcher,
                             const Place& place, const SlotFiles& files);

/// `environment` with the place's share of the GPUs that this process may use; all of them where there are
/// fewer than places.
void share_devices(Environment& environment, const Place& place);

}  // namespace kernmill::exec
