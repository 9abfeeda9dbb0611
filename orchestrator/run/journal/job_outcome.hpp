#pragma once
#include <string>
#include <vector>

#include "kernmill/plan/progress.hpp"
#include "kernmill/run/journal/instance_result.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// How the job of an attempt ended, from its last record.
struct JobOutcome {
  enum class What { committed, failed, stopped, none };
  What what = What::none;
  Cause cause = Cause::error;
  int exit_code = 0;
  std::string message;
  CommittedResult result;  ///< of a committed one
};
JobOutcome outcome_of(const std::vector<Record>& records);

}  // namespace kernmill
