#include "kernmill/run/journal/job_outcome.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/run/journal/events.hpp"
#include "kernmill/workflow/value/json_text.hpp"

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
  try {
    if (outcome.what == JobOutcome::What::committed) outcome.result = events::committed_result(*body);
  } catch (const Json::exception& error) {
    throw std::runtime_error(
        fmt::format("the journal of a job is damaged: what it left cannot be read: {}; kernmill "
                    "resume goes on with the rest",
                    plain_words(error)));
  }
  outcome.cause = cause(text_in(*body, events::field::cause, "error")).value_or(Cause::error);
  outcome.exit_code = static_cast<int>(number_in(*body, events::field::exit_code));
  outcome.message = text_in(*body, events::field::message);
  return outcome;
}

}  // namespace kernmill
