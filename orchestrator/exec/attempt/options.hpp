#pragma once
#include <string>
#include <vector>

#include "kernmill/exec/attempt/attempt.hpp"

namespace kernmill::exec {

/// The command line of kernmill-exec.
struct Options {
  enum class What {
    attempt,  ///< one that the command line names
    element,  ///< an element of an array that was submitted to a batch system
    close,    ///< the end of a submitted run
    pack,     ///< instances that a conductor of this machine has packed together
    grow,     ///< what a stage of a submitted run has decided
  };
  What what = What::attempt;
  std::filesystem::path run;
  bool no_cache = false;

  AttemptName attempt;  ///< attempt; pack: its stage
  std::string job;
  unsigned restart = 0;
  double time_factor = 1.0;  ///< a retry may be given more time
  bool handed_over = false;  ///< what it has to know of the journal is on standard input (handover.hpp)

  std::string array;        ///< element: the key of its array
  std::string decider;      ///< grow: that stage
  unsigned generation = 0;  ///< element, close, grow: which act of submitting it belongs to
};

/// Throws std::invalid_argument: what is wrong, and how it is used.
Options parse_options(const std::vector<std::string>& words);

}  // namespace kernmill::exec
