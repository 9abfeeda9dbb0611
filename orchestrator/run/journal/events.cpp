#include "kernmill/run/journal/events.hpp"

#include <utility>

namespace kernmill::events {
namespace {

template <typename Event>
Record record_of(Json body) {
  return {Event::name, std::move(body)};
}

Json body_of(const ProcessIdentity& process) {
  return {{field::pid, process.pid}, {field::start_time, process.start_time}, {field::host, process.host}};
}

Json body_of(const Subject& of) {
  return {{field::stage, of.stage}, {field::instance, of.instance}, {field::attempt, of.attempt}};
}

Json body_of(const Subject& of, const Reason& reason) {
  Json body = body_of(of);
  body[field::cause] = to_string(reason.cause);
  if (reason.exit_code) body[field::exit_code] = *reason.exit_code;
  if (reason.signal != 0) body[field::signal] = reason.signal;
  body[field::message] = reason.message;
  if (!reason.node.empty()) body[field::node] = reason.node;
  if (reason.peak_memory > 0) body[field::peak_memory] = reason.peak_memory;
  return body;
}

Json body_of_generation(unsigned generation) {
  return {{field::generation, generation}};
}

}  // namespace

Record to_record(const RunStarted& event) {
  Json body = body_of(event.process);
  body[field::resumed] = event.resumed;
  if (!event.scheduler.empty()) body[field::scheduler] = event.scheduler;
  if (event.life > 0) body[field::life] = event.life;
  if (event.generation) body[field::generation] = *event.generation;
  return record_of<RunStarted>(std::move(body));
}

Record to_record(const RunFinished& event) {
  Json body = {{field::outcome, event.outcome}};
  if (event.generation) body[field::generation] = *event.generation;
  if (event.life > 0) body[field::life] = event.life;
  return record_of<RunFinished>(std::move(body));
}

Record to_record(const Submitting& event) {
  Json body = body_of_generation(event.generation);
  body[field::token] = event.token;
  body[field::fail_fast] = event.fail_fast;
  body[field::no_cache] = event.no_cache;
  body[field::hold] = event.hold;
  body[field::arrays] = event.arrays;
  return record_of<Submitting>(std::move(body));
}

Record to_record(const ArraySubmitted& event) {
  Json body = body_of_generation(event.generation);
  body[field::array] = event.array;
  body[field::job] = event.job;
  return record_of<ArraySubmitted>(std::move(body));
}

Record to_record(const Accepted& event) {
  return record_of<Accepted>(body_of_generation(event.generation));
}

Record to_record(const Released& event) {
  return record_of<Released>(body_of_generation(event.generation));
}

Record to_record(const RolledBack& event) {
  Json body = body_of_generation(event.generation);
  body[field::why] = event.why;
  return record_of<RolledBack>(std::move(body));
}

Record to_record(const Skipped& event) {
  return record_of<Skipped>(
      {{field::stage, event.stage}, {field::instance, event.instance}, {field::why, event.why}});
}

Record to_record(const Submitted& event) {
  Json body = body_of(event.of);
  body[field::job] = event.job;
  if (!event.why.empty()) body[field::why] = event.why;
  return record_of<Submitted>(std::move(body));
}

Record to_record(const Packed& event) {
  Json attempts = Json::array();
  for (const PackRecord::Range& range : event.pack.attempts)
    attempts.push_back({range.first, range.last, range.attempt});
  return record_of<Packed>({{field::stage, event.pack.stage},
                            {field::job, event.pack.job},
                            {field::attempts, std::move(attempts)}});
}

Record to_record(const Started& event) {
  Json body = body_of(event.of);
  body[field::job] = event.job;
  body.update(body_of(event.process));
  if (!event.slot.empty()) body[field::slot] = event.slot;
  if (!event.node.empty()) body[field::node] = event.node;
  return record_of<Started>(std::move(body));
}

Record to_record(const InputsChanged& event) {
  Json body = body_of(event.of);
  body[field::inputs] = Json::object();
  for (const auto& [path, found] : event.inputs) body[field::inputs][path] = found;
  return record_of<InputsChanged>(std::move(body));
}

Record to_record(const StageLeft& event) {
  return record_of<StageLeft>(
      {{field::stage, event.stage}, {field::digest, event.left.digest}, {field::why, event.left.unknown}});
}

Record to_record(const StepStarted& event) {
  Json body = body_of(event.of);
  body.update(body_of(event.process));
  return record_of<StepStarted>(std::move(body));
}

Record to_record(const Committed& event) {
  Json body = body_of(event.of);
  const CommittedResult& result = event.result;
  body[field::metrics] = result.left.metrics;
  Json& artifacts = body[field::artifacts] = Json::array();
  for (const Artifact& artifact : result.left.artifacts) artifacts.push_back(to_json(artifact));
  if (!result.key.empty()) body[field::key] = result.key;
  if (!result.cached_from.empty()) body[field::cached_from] = result.cached_from;
  if (result.peak_memory > 0) body[field::peak_memory] = result.peak_memory;
  if (!result.warning.empty()) body[field::warning] = result.warning;
  return record_of<Committed>(std::move(body));
}

Record to_record(const Abandoned& event) {
  Json body = body_of(event.of);
  if (event.cause) body[field::cause] = to_string(*event.cause);
  body[field::why] = event.why;
  if (!event.node.empty()) body[field::node] = event.node;
  return record_of<Abandoned>(std::move(body));
}

Record to_record(const ResultLost& event) {
  Json body = body_of(event.of);
  body[field::why] = event.why;
  return record_of<ResultLost>(std::move(body));
}

Record to_record(const Failed& event) {
  return record_of<Failed>(body_of(event.of, event.reason));
}

Record to_record(const Stopped& event) {
  return record_of<Stopped>(body_of(event.of, event.reason));
}

Record to_record(const Retrying& event) {
  Json body = body_of(event.of, event.reason);
  body[field::mem_factor] = event.mem_factor;
  body[field::time_factor] = event.time_factor;
  if (event.counts) body[field::counts] = *event.counts;
  return record_of<Retrying>(std::move(body));
}

CommittedResult committed_result(const Json& body) {
  CommittedResult result;
  result.left.metrics = body.value(field::metrics, Json::object());
  for (const Json& artifact : body.value(field::artifacts, Json::array()))
    result.left.artifacts.push_back(artifact_from_json(artifact));
  result.key = body.value(field::key, "");
  result.cached_from = body.value(field::cached_from, "");
  return result;
}

}  // namespace kernmill::events
