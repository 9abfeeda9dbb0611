#include "kernmill/run/journal/job_outcome.hpp"

#include "kernmill/run/journal/events.hpp"

namespace kernmill {

JobOutcome outcome_of(const std::vector<Record>& records) {
  JobOutcome outcome;
  const Json* body = nullptr;
  for (const Record& record : records) {
    if (record.event == events::Committed::name)
      outcome.what = JobOutcome::What::committed;
    else if (record.event == events::Failed::name)
      outcome.what = JobOutcome::What::failed;
    else if (record.event == events::Stopped::name)
      outcome.what = JobOutcome::What::stopped;
    else
      continue;
    body = &record.body;
  }
  if (body == nullptr) return outcome;
  if (outcome.what == JobOutcome::What::committed) outcome.result = events::committed_result(*body);
  outcome.cause = cause(body->value(events::field::cause, "error")).value_or(Cause::error);
  outcome.exit_code = body->value(events::field::exit_code, 0);
  outcome.message = body->value(events::field::message, "");
  return outcome;
}

}  // namespace kernmill
