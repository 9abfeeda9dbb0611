#include "kernmill/run/journal/job_outcome.hpp"

namespace kernmill {

JobOutcome outcome_of(const std::vector<Record>& records) {
  JobOutcome outcome;
  for (const Record& record : records) {
    if (record.event == "committed")
      outcome.what = JobOutcome::What::committed;
    else if (record.event == "failed")
      outcome.what = JobOutcome::What::failed;
    else if (record.event == "stopped")
      outcome.what = JobOutcome::What::stopped;
    else
      continue;
    outcome.body = record.body;
  }
  if (outcome.what == JobOutcome::What::none) return outcome;
  outcome.cause = cause(outcome.body.value("cause", "error")).value_or(Cause::error);
  outcome.exit_code = outcome.body.value("exit_code", 0);
  outcome.message = outcome.body.value("message", "");
  return outcome;
}

}  // namespace kernmill
