#include "kernmill/report/run_status.hpp"

#include <algorithm>

#include "kernmill/report/quantity.hpp"
#include "kernmill/run/journal/replay.hpp"

namespace kernmill {
namespace {

void describe_attempt(InstanceStatus& status, const AttemptRecord& last, const StatusOptions& options) {
  status.cause = last.cause;
  status.exit_code = last.exit_code;
  status.signal = last.signal;
  if (last.state == AttemptState::failed) status.message = last.message;
  status.cached_from = last.cached_from;
  status.cached = !last.cached_from.empty();
  const std::string& began = last.started_at.empty() ? last.submitted_at : last.started_at;
  const bool open = last.state == AttemptState::open;
  const bool alive = options.queue ? status.queue.has_value() : options.alive;
  status.lost = options.queue && open && last.started && !alive;
  if (!open || alive)
    status.took = between(began, open ? options.now : last.ended_at).value_or(std::chrono::seconds{0});
  status.interrupted = last.state == AttemptState::stopped || last.state == AttemptState::abandoned ||
                       (open && !alive && (last.started || !options.queue));
}

/// An instance that the replay took is running only if an attempt of it is under way now.
State settled(State replayed, const InstanceRecord* known, const StatusOptions& options,
              const std::optional<QueuedInstance>& queue) {
  if (replayed != State::running) return replayed;
  const bool open =
      known != nullptr && !known->attempts.empty() && known->attempts.back().state == AttemptState::open;
  const bool alive = options.queue ? queue.has_value() && queue->running : options.alive;
  return open && alive ? State::running : State::ready;
}

/// What is counted of an instance.
InstanceStatus bare_status(const Replay& replay, const InstanceRecord* known, InstanceId id,
                           const StatusOptions& options) {
  InstanceStatus status;
  status.id = id;
  if (options.queue) status.queue = options.queue(id);
  status.state = settled(replay.state(id), known, options, status.queue);
  if (known == nullptr || known->attempts.empty()) return status;
  status.attempts = static_cast<unsigned>(known->attempts.size());
  describe_attempt(status, known->attempts.back(), options);
  for (const AttemptRecord& attempt : known->attempts)
    if (attempt.state == AttemptState::lost) status.made_again = attempt.message;
  if (known->committed) status.interrupted = false;
  return status;
}

/// Adds what is told of it.
void describe(InstanceStatus& status, const RunDirectory& run, const Plan& plan,
              const InstanceRecord* known) {
  status.label = plan.label(status.id);
  status.values = plan.values(status.id);
  status.written = plan.written_values(status.id);
  if (known == nullptr) return;
  status.metrics = known->metrics;
  status.artifacts = known->artifacts;
  if (status.message.empty()) status.message = known->skip_reason;
  if (known->attempts.empty()) return;
  const std::string& stage = plan.stage(status.id.stage).name;
  status.directory = run.attempt(stage, status.id.index, known->attempts.back().number).string();
}

bool is_told(const InstanceStatus& instance, const Plan& plan, const StatusOptions& options) {
  const bool open = instance.state == State::waiting || instance.state == State::ready;
  const bool unusual =
      instance.interrupted || !instance.made_again.empty() || (!open && instance.state != State::finished);
  if (plan.instance_count(instance.id.stage) > options.large_stage)
    return unusual || plan.is_reduce(instance.id);
  return options.everything || instance.state != State::waiting || instance.attempts > 0;
}

/// The first start and the last end of a stage's attempts.
struct Span {
  std::string from, to;
  void take(const AttemptRecord& attempt, const std::string& now) {
    const std::string& begin = attempt.submitted_at.empty() ? attempt.started_at : attempt.submitted_at;
    const std::string& end = attempt.ended_at.empty() ? now : attempt.ended_at;
    if (!begin.empty() && (from.empty() || begin < from)) from = begin;
    to = std::max(to, end);
  }
};

StageStatus stage_status(const Plan& plan, std::uint32_t number, const std::vector<InstanceStatus>& instances,
                         const std::vector<const InstanceRecord*>& records, const StatusOptions& options) {
  StageStatus status;
  status.name = plan.stage(number).name;
  status.kind = plan.stage(number).kind;
  status.instances = plan.instance_count(number);
  Span span;
  for (const InstanceStatus& instance : instances) {
    ++status.count[instance.state];
    status.cached += instance.cached ? 1 : 0;
    status.interrupted += instance.interrupted ? 1 : 0;
    const bool open = instance.state == State::waiting || instance.state == State::ready;
    if (open && instance.queue && !instance.queue->running) {
      ++status.queued;
      if (status.queue_reason.empty()) status.queue_reason = instance.queue->reason;
    }
    const InstanceRecord* known = records[instance.id.index];
    if (known == nullptr) continue;
    if (status.instances == 1 || plan.is_reduce(instance.id)) status.metrics = known->metrics;
    for (const AttemptRecord& attempt : known->attempts) span.take(attempt, options.now);
  }
  status.took = between(span.from, span.to).value_or(std::chrono::seconds{0});
  return status;
}

std::string run_state(const RunRecord& record, bool alive) {
  if (alive) return "running";
  if (record.started_at.empty()) return "created";
  return record.outcome.empty() ? "dead" : record.outcome;
}

Json to_json(const StageStatus& stage) {
  Json count = Json::object();
  for (const auto& [state, number] : stage.count) count[std::string(to_string(state))] = number;
  return {{"name", stage.name},           {"kind", to_string(stage.kind)}, {"state", stage.word()},
          {"instances", stage.instances}, {"count", std::move(count)},     {"cached", stage.cached},
          {"queued", stage.queued},       {"seconds", stage.took.count()}, {"metrics", stage.metrics}};
}

}  // namespace

std::uint32_t StageStatus::of(State state) const {
  const auto found = count.find(state);
  return found == count.end() ? 0 : found->second;
}

std::string StageStatus::word() const {
  if (of(State::failed) > 0) return "failed";
  if (of(State::running) > 0) return "running";
  if (queued > 0) return "queued";
  if (interrupted > 0) return "interrupted";
  const std::uint32_t finished = of(State::finished);
  if (finished + of(State::skipped) == instances && finished > 0)
    return cached == finished ? "cached" : "done";
  if (of(State::skipped) == instances) return "skipped";
  if (of(State::blocked) > 0) return "blocked";
  return finished > 0 ? "partly done" : "waiting";
}

const StageStatus* RunStatus::stage(const std::string& wanted) const {
  for (const StageStatus& candidate : stages)
    if (candidate.name == wanted) return &candidate;
  return nullptr;
}

RunStatus run_status(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                     const StatusOptions& options) {
  RunStatus status;
  status.name = run.name();
  status.directory = run.root().string();
  status.workflow_file = plan.workflow().file;
  status.state = run_state(record, options.alive);
  status.started_at = record.started_at;
  status.ended_at = options.alive ? "" : record.ended_at;
  status.conductor = record.conductor;
  status.scheduler = record.scheduler;
  const std::string& end = options.alive ? options.now : record.ended_at;
  status.took = between(record.started_at, end).value_or(std::chrono::seconds{0});

  const Replay replay(plan, record);
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    std::vector<InstanceStatus> instances;
    std::vector<const InstanceRecord*> records(plan.instance_count(stage), nullptr);
    instances.reserve(records.size());
    const std::string& name = plan.stage(stage).name;
    for (auto known = record.instances.lower_bound({name, 0});
         known != record.instances.end() && known->first.first == name; ++known)
      if (known->first.second < records.size()) records[known->first.second] = &known->second;
    for (std::uint32_t index = 0; index < records.size(); ++index)
      instances.push_back(bare_status(replay, records[index], {stage, index}, options));
    status.stages.push_back(stage_status(plan, stage, instances, records, options));
    for (InstanceStatus& instance : instances) {
      if (!is_told(instance, plan, options)) continue;
      describe(instance, run, plan, records[instance.id.index]);
      status.instances.push_back(std::move(instance));
    }
  }
  return status;
}

Json to_json(const InstanceStatus& instance) {
  Json json{{"label", instance.label}, {"state", to_string(instance.state)}};
  if (instance.interrupted) json["interrupted"] = true;
  if (!instance.values.empty()) json["matrix"] = instance.values;
  if (instance.attempts > 0) {
    json["attempts"] = instance.attempts;
    json["seconds"] = instance.took.count();
    json["directory"] = instance.directory;
  }
  if (instance.state == State::failed) {
    json["cause"] = to_string(instance.cause);
    json["exit_code"] = instance.exit_code;
    if (instance.signal != 0) json["signal"] = instance.signal;
  }
  if (!instance.message.empty()) json["message"] = instance.message;
  if (!instance.help.empty()) json["help"] = instance.help;
  if (instance.cached) json["cached_from"] = instance.cached_from;
  if (instance.lost) json["lost"] = true;
  if (!instance.made_again.empty()) json["made_again"] = instance.made_again;
  if (instance.queue) {
    json["job"] = instance.queue->job;
    if (!instance.queue->running) json["queued_because"] = instance.queue->reason;
  }
  if (!instance.metrics.empty()) json["metrics"] = instance.metrics;
  for (const Artifact& artifact : instance.artifacts) json["artifacts"][artifact.name] = artifact.path;
  return json;
}

Json to_json(const RunStatus& status) {
  Json json{{"schema_version", 1},           {"run", status.name},
            {"directory", status.directory}, {"workflow", status.workflow_file},
            {"state", status.state},         {"started_at", status.started_at},
            {"ended_at", status.ended_at},   {"seconds", status.took.count()},
            {"stages", Json::array()},       {"instances", Json::array()}};
  if (!status.scheduler.empty()) json["scheduler"] = status.scheduler;
  if (!status.note.empty()) json["note"] = status.note;
  for (const StageStatus& stage : status.stages) json["stages"].push_back(to_json(stage));
  for (const InstanceStatus& instance : status.instances) json["instances"].push_back(to_json(instance));
  return json;
}

}  // namespace kernmill
