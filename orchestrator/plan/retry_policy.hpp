#pragma once
#include <cstdint>

#include "kernmill/plan/progress.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// The attempts of an instance that were made before this one for the same submission, or in the same life of
/// a local run.
struct EarlierTries {
  int failures = 0;  ///< without those that got further and were continued, or gave way to others
  /// What this attempt got, times what the plan says.
  double mem_factor = 1.0, time_factor = 1.0;
};

/// How an attempt ended, as far as it decides whether there is another.
struct Ended {
  enum class How : std::uint8_t {
    failed,
    stopped,  ///< it was asked to end, and can be continued
  };
  How how = How::failed;
  Cause cause = Cause::error;
  bool new_checkpoint = false;  ///< it left one
};

/// What follows the end of an attempt that has not committed.
struct Retry {
  enum class What : std::uint8_t {
    none,      ///< it has failed
    give_way,  ///< it was stopped from outside, and is not tried again because of that
    again,
  };
  What what = What::none;
  bool counts = true;  ///< against the retries that the stage allows
  /// For the next attempt, times what the plan says.
  double mem_factor = 1.0, time_factor = 1.0;
};

/// The one policy of local runs, jobs and packed elements alike. Pure. An attempt that ran out of time but
/// left a new checkpoint is continued, as is one that was preempted: neither counts, whatever `policy` says.
/// Else there is another when `policy` names the cause and has retries left; after `oom` and `timeout` it
/// gets more.
Retry retry_after(const Retries& policy, const EarlierTries& earlier, const Ended& ended);

}  // namespace kernmill
