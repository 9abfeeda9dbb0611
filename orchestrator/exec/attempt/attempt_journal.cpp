#include "kernmill/exec/attempt/attempt_journal.hpp"

#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

events::Reason reason_of(const AttemptOutcome& outcome) {
  return {outcome.cause,   outcome.exit_code, outcome.signal,
          outcome.message, outcome.node,      outcome.peak_memory};
}

void AttemptJournal::started(const std::string& job, const std::string& node) {
  const ProcessIdentity self{::getpid(), start_time_of(::getpid()), host_name()};
  journal_.append(to_record(events::Started{subject(), job, self, {}, node}));
}

void AttemptJournal::inputs_changed(const std::vector<std::pair<std::string, std::string>>& inputs) {
  journal_.append(to_record(events::InputsChanged{subject(), inputs}));
}

void AttemptJournal::step_started(int pid, std::uint64_t start_time) {
  journal_.append(to_record(events::StepStarted{subject(), {pid, start_time, host_name()}}));
}

void AttemptJournal::committed(const CommittedResult& result) {
  journal_.append(to_record(events::Committed{subject(), result}));
}

void AttemptJournal::gave_up(const AttemptOutcome& outcome) {
  if (outcome.what == AttemptOutcome::What::stopped)
    journal_.append(to_record(events::Stopped{subject(), reason_of(outcome)}));
  else
    journal_.append(to_record(events::Failed{subject(), reason_of(outcome)}));
}

void AttemptJournal::retrying(const AttemptOutcome& outcome, const Retry& next) {
  journal_.append(to_record(
      events::Retrying{subject(), reason_of(outcome), next.mem_factor, next.time_factor, next.counts}));
}

void AttemptJournal::skipped(const std::string& why) {
  journal_.append(to_record(events::Skipped{attempt_.stage, attempt_.instance, why}));
}

events::Subject AttemptJournal::subject() const {
  return {attempt_.stage, attempt_.instance, attempt_.number};
}

}  // namespace kernmill::exec
