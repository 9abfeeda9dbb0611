#pragma once
#include <string>

#include "kernmill/exec/attempt/outcome.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill::exec {

/// The attempts of an instance that were made before this one for the same submission.
struct EarlierTries {
  int failures = 0;              ///< without those that got further and were continued, or gave way to others
  double mem = 1.0, time = 1.0;  ///< what this attempt got, times what the plan says
};

/// How an attempt ended, as far as it decides whether there is another.
struct Ended {
  Outcome::What what = Outcome::What::failed;
  Cause cause = Cause::error;
  bool got_further = false;  ///< it left a new checkpoint
};

struct Retry {
  enum class What {
    none,      ///< it has failed
    give_way,  ///< it was stopped from outside, and is not tried again here
    again,
  };
  What what = What::none;
  bool counts = true;            ///< against the retries that the stage allows
  double mem = 1.0, time = 1.0;  ///< for the next attempt, times what the plan says
  bool elsewhere = false;        ///< not on the node that it ran on
};

/// What follows the end of an attempt that has not committed. Pure.
Retry retry_after(const Retries& policy, const EarlierTries& earlier, const Ended& ended);

}  // namespace kernmill::exec
