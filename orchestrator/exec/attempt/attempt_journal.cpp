#include "kernmill/exec/attempt/attempt_journal.hpp"

#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

void AttemptJournal::started(const std::string& job) {
  append(
      "started",
      {{"job", job}, {"pid", ::getpid()}, {"start_time", start_time_of(::getpid())}, {"host", host_name()}});
}

void AttemptJournal::step_started(int pid, std::uint64_t start_time) {
  append("step_started", {{"pid", pid}, {"start_time", start_time}, {"host", host_name()}});
}

void AttemptJournal::gave_up(const Outcome& outcome) {
  gave_up(outcome.what == Outcome::What::stopped ? "stopped" : "failed", outcome);
}

void AttemptJournal::gave_up(const std::string& event, const Outcome& outcome, const Json& more) {
  Json body = {{"cause", to_string(outcome.cause)}, {"exit_code", outcome.exit_code}};
  if (outcome.signal != 0) body["signal"] = outcome.signal;
  body["message"] = outcome.message;
  body.update(more);
  append(event, body);
}

void AttemptJournal::skipped(const std::string& why) {
  journal_.append({"skipped", {{"stage", attempt_.stage}, {"instance", attempt_.instance}, {"why", why}}});
}

void AttemptJournal::append(const std::string& event, const Json& more) {
  Json body = {{"stage", attempt_.stage}, {"instance", attempt_.instance}, {"attempt", attempt_.number}};
  body.update(more);
  journal_.append({event, std::move(body)});
}

}  // namespace kernmill::exec
