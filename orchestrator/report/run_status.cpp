#include "kernmill/report/run_status.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/plan/decisions.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/remedy.hpp"
#include "kernmill/run/cache/declared_inputs.hpp"
#include "kernmill/run/journal/replay.hpp"

namespace kernmill {
namespace {

/// How an instance stands: all that is counted of it.
struct Standing {
  State state = State::waiting;
  bool interrupted = false, cached = false, lost = false, alive = false;
  std::optional<QueuedInstance> queue;
};

/// An instance that the replay took is running only if an attempt of it is under way now.
State settled(State replayed, bool is_open, bool alive) {
  if (replayed != State::running) return replayed;
  return is_open && alive ? State::running : State::ready;
}

Standing standing(const Replay& replay, const InstanceRecord* known, InstanceId id,
                  const StatusOptions& options) {
  Standing now;
  if (options.queue) now.queue = options.queue(id);
  const AttemptRecord* last = known == nullptr || known->attempts.empty() ? nullptr : &known->attempts.back();
  const bool is_open = last != nullptr && last->state == AttemptState::open;
  const bool runs = options.queue ? now.queue.has_value() && now.queue->running : options.alive;
  now.state = settled(replay.state(id), is_open, runs);
  now.alive = options.queue ? now.queue.has_value() : options.alive;
  if (last == nullptr) return now;
  now.cached = !last->cached_from.empty();
  now.lost = options.queue && is_open && last->started && !now.alive;
  now.interrupted =
      !known->committed && (last->state == AttemptState::stopped || last->state == AttemptState::abandoned ||
                            (is_open && !now.alive && (last->started || !options.queue)));
  return now;
}

/// Why the result of an earlier attempt is lost; empty when none is.
std::string why_made_again(const InstanceRecord& known) {
  std::string why;
  for (const AttemptRecord& attempt : known.attempts)
    if (attempt.state == AttemptState::lost) why = attempt.message;
  return why;
}

void describe_attempt(InstanceStatus& status, const AttemptRecord& last, const Standing& now,
                      const StatusOptions& options) {
  status.cause = last.cause;
  status.exit_code = last.exit_code;
  status.signal = last.signal;
  if (last.state == AttemptState::failed || last.state == AttemptState::abandoned)
    status.message = last.message;
  status.cached_from = last.cached_from;
  status.warning = last.warning;
  if (options.reasons_only) return;
  status.node = last.node;
  status.peak_memory = last.peak_memory;
  const std::string& began = last.started_at.empty() ? last.submitted_at : last.started_at;
  const bool is_open = last.state == AttemptState::open;
  if (!is_open || now.alive)
    status.took = between(began, is_open ? options.now : last.ended_at).value_or(std::chrono::seconds{0});
}

InstanceStatus described(const RunDirectory& run, const Plan& plan, InstanceId id, Standing now,
                         const InstanceRecord* known, const StatusOptions& options) {
  InstanceStatus status;
  status.id = id;
  status.label = plan.label(id);
  status.state = now.state;
  status.interrupted = now.interrupted;
  status.cached = now.cached;
  status.lost = now.lost;
  if (!options.reasons_only) status.values = plan.values(id);
  if (!options.reasons_only) status.written = plan.written_values(id);
  if (known != nullptr) {
    status.attempts = static_cast<unsigned>(known->attempts.size());
    status.why = known->why;
    status.made_again = why_made_again(*known);
    if (!known->attempts.empty()) describe_attempt(status, known->attempts.back(), now, options);
    if (status.message.empty()) status.message = known->skip_reason;
    if (now.state == State::failed || now.interrupted) status.help = remedy(run.name(), plan, id, *known);
    if (!options.reasons_only) status.metrics = known->metrics;
    if (!options.reasons_only) status.artifacts = known->artifacts;
    if (!known->attempts.empty() && (!options.reasons_only || now.state == State::failed))
      status.directory =
          run.attempt(plan.stage(id.stage).name, id.index, known->attempts.back().number).string();
  }
  status.queue = std::move(now.queue);
  return status;
}

bool is_told(const Standing& now, InstanceId id, const InstanceRecord* known, const Plan& plan,
             const StatusOptions& options) {
  const bool is_open = now.state == State::waiting || now.state == State::ready;
  const bool is_unusual = now.interrupted || (!is_open && now.state != State::finished) ||
                          (known != nullptr && !why_made_again(*known).empty());
  if (plan.instance_count(id.stage) > options.large_stage) return is_unusual || plan.is_reduce(id);
  return options.everything || now.state != State::waiting || (known != nullptr && !known->attempts.empty());
}

/// The first start and the last end of a stage's attempts.
struct Span {
  std::string from, to;
  void take(const AttemptRecord& attempt, const std::string& now) {
    const std::string& begin = attempt.submitted_at.empty() ? attempt.started_at : attempt.submitted_at;
    take(begin, attempt.ended_at.empty() ? now : attempt.ended_at);
  }
  void take(const std::string& begin, const std::string& end) {
    if (!begin.empty() && (from.empty() || begin < from)) from = begin;
    to = std::max(to, end);
  }
};

/// Counts the instances of a stage, and tells of those of which there is something to tell.
class StageCount {
 public:
  StageCount(const RunDirectory& run, const Plan& plan, const Replay& replay, std::uint32_t number,
             const StatusOptions& options, RunStatus& status)
      : run_(run), plan_(plan), replay_(replay), options_(options), number_(number), status_(status) {
    StageStatus& stage = status.stages.emplace_back();
    stage.name = plan.stage(number).name;
    stage.kind = plan.stage(number).kind;
    stage.instances = plan.instance_count(number);
    if (!plan.undecided(number)) return;
    stage.decided_by = decided_by(plan.stage(number).matrix);
    stage.undecided = replay.state_of_undecided(number);
  }

  void count(const RunRecord& record, const PlainCommits* plain) {
    const std::string name = stage().name;
    auto known = record.instances.lower_bound({name, 0});
    const auto next_known = [&](std::uint32_t index) -> const InstanceRecord* {
      while (known != record.instances.end() && known->first.first == name && known->first.second < index)
        ++known;
      const bool is_it = known != record.instances.end() && known->first == std::pair(name, index);
      return is_it ? &known->second : nullptr;
    };
    std::uint32_t index = 0;
    std::size_t row = 0;
    if (plain != nullptr && plain->summary(name) != nullptr)
      for (const IndexRanges::Range& range : plain->summary(name)->instances.ranges()) {
        for (; index < range.first; ++index) take(index, next_known(index));
        row += take_plain(*plain, range, row);
        index = range.last + 1;
      }
    for (; index < stage().instances; ++index) take(index, next_known(index));
    if (plain != nullptr) take_summary(plain->summary(name));
    stage().took = between(span_.from, span_.to).value_or(std::chrono::seconds{0});
  }

 private:
  StageStatus& stage() { return status_.stages.back(); }

  /// Gives how many rows the range has.
  std::size_t take_plain(const PlainCommits& plain, const IndexRanges::Range& range, std::size_t row) {
    const std::uint32_t length = range.last - range.first + 1;
    for (std::uint32_t i = 0; i < length; ++i) {
      const std::uint32_t counted = is_large() ? alike(length - i, range.last) : 0;
      if (counted > 0) stage().count[State::finished] += counted;
      i += counted;
      if (i == length) break;
      const InstanceRecord known =
          plain.record(plain.rows(stage().name).at(row + i), /*with_times=*/!options_.reasons_only);
      take(range.first + i, &known, Counted::by_summary);
    }
    return length;
  }

  [[nodiscard]] bool is_large() { return stage().instances > options_.large_stage; }
  /// How many of the next `left` plain ones, up to `last`, are counted and not described.
  std::uint32_t alike(std::uint32_t left, std::uint32_t last) {
    if (told_finished_ < options_.first_of_large) return 0;
    return plan_.is_reduce({number_, last}) ? left - 1 : left;
  }

  void take_summary(const PlainSummary* summary) {
    if (summary == nullptr || summary->instances.empty()) return;
    stage().warnings += summary->warnings;
    span_.take(summary->begin == PlainSummary{}.begin ? "" : moment_text(summary->begin),
               moment_text(summary->end));
  }

  enum class Counted { here, by_summary };  ///< warnings

  void take(std::uint32_t index, const InstanceRecord* known, Counted warnings = Counted::here) {
    const InstanceId id{number_, index};
    Standing now = standing(replay_, known, id, options_);
    ++stage().count[now.state];
    stage().cached += now.cached ? 1 : 0;
    stage().interrupted += now.interrupted ? 1 : 0;
    count_queued(now);
    if (known != nullptr) {
      if (stage().instances == 1 || plan_.is_reduce(id)) stage().metrics = known->metrics;
      for (const AttemptRecord& attempt : known->attempts) span_.take(attempt, options_.now);
      const bool has_warning = !known->attempts.empty() && !known->attempts.back().warning.empty();
      if (has_warning && warnings == Counted::here) ++stage().warnings;
    }
    const bool is_first = now.state == State::finished && told_finished_ < options_.first_of_large;
    if (!is_first && !is_told(now, id, known, plan_, options_)) return;
    if (now.state == State::finished) ++told_finished_;
    InstanceStatus told = described(run_, plan_, id, std::move(now), known, options_);
    if (options_.tell)
      options_.tell(status_, std::move(told));
    else
      status_.instances.push_back(std::move(told));
  }

  void count_queued(const Standing& now) {
    const bool is_open = now.state == State::waiting || now.state == State::ready;
    if (!is_open || !now.queue || now.queue->running) return;
    ++stage().queued;
    if (stage().queue_reason.empty()) stage().queue_reason = now.queue->reason;
  }

  const RunDirectory& run_;
  const Plan& plan_;
  const Replay& replay_;
  const StatusOptions& options_;
  std::uint32_t number_;
  RunStatus& status_;
  std::uint32_t told_finished_ = 0;
  Span span_;
};

std::string run_state(const RunRecord& record, bool alive) {
  if (alive) return "running";
  if (record.started_at.empty()) return "created";
  return record.outcome.empty() ? "dead" : record.outcome;
}

Json to_json(const StageStatus& stage) {
  Json count = Json::object();
  for (const auto& [state, number] : stage.count) count[std::string(to_string(state))] = number;
  Json json{{"name", stage.name},           {"kind", to_string(stage.kind)}, {"state", stage.word()},
            {"instances", stage.instances}, {"count", std::move(count)},     {"cached", stage.cached},
            {"queued", stage.queued},       {"warnings", stage.warnings},    {"seconds", stage.took.count()},
            {"metrics", stage.metrics}};
  if (!stage.decided_by.empty()) json["instances"] = nullptr;
  if (!stage.decided_by.empty())
    json["decided_by"] = stage.decided_by.substr(stage.decided_by.find("by ") + 3);
  return json;
}

/// Which code commands run, and who has read other files than the run was made with.
void add_code_and_inputs(const Plan& plan, const RunRecord& record, RunStatus& status) {
  if (const Snapshot& code = plan.workflow().snapshot; code.on())
    status.code = {
        {"copy", code.copy}, {"commit", code.commit}, {"dirty", code.dirty}, {"digest", code.digest}};
  std::map<std::string, std::vector<InstanceId>> readers;
  for (const auto& [key, instance] : record.instances)
    if (!instance.attempts.empty() && plan.workflow().find(key.first) != nullptr)
      for (const auto& [path, found] : instance.attempts.back().other_inputs)
        readers[path].push_back({plan.stage_number(key.first), key.second});
  for (const auto& [path, ids] : readers)
    status.other_inputs.push_back(fmt::format("{} was another file than when the run was made for {}",
                                              display_path(path, plan.workflow()), labels_text(plan, ids)));
}

}  // namespace

std::uint32_t StageStatus::of(State state) const {
  const auto found = count.find(state);
  return found == count.end() ? 0 : found->second;
}

std::string StageStatus::word() const {
  if (!decided_by.empty()) return std::string(to_string(undecided));
  if (instances == 0) return "done";
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
                     const StatusOptions& options, const PlainCommits* plain) {
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

  const Replay replay(plan, record, {}, plain);
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    StageCount(run, plan, replay, stage, options, status).count(record, plain);
  add_code_and_inputs(plan, record, status);
  return status;
}

std::string text_of_code(const Json& code) {
  if (code.empty()) return {};
  constexpr std::size_t shown = 12;
  const std::string commit = code.at("commit"), digest = code.at("digest"), copy = code.at("copy");
  if (commit.empty()) return fmt::format("{} (digest {})", copy, digest.substr(0, shown));
  return fmt::format("{} (commit {}{})", copy, commit.substr(0, shown),
                     code.at("dirty").get<bool>() ? " with changes" : "");
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
  if (!instance.node.empty()) json["node"] = instance.node;
  if (instance.peak_memory > 0) json["peak_memory"] = instance.peak_memory;
  if (!instance.warning.empty()) json["warning"] = instance.warning;
  if (instance.cached) json["cached_from"] = instance.cached_from;
  if (!instance.made_again.empty()) json["made_again"] = instance.made_again;
  if (instance.lost) json["lost"] = true;
  if (instance.queue) {
    json["job"] = instance.queue->job;
    if (!instance.queue->running) json["queued_because"] = instance.queue->reason;
  }
  if (!instance.metrics.empty()) json["metrics"] = instance.metrics;
  if (!instance.progress.empty()) json["progress"] = instance.progress;
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
  if (!status.code.empty()) json["code"] = status.code;
  if (!status.other_inputs.empty()) json["other_inputs"] = status.other_inputs;
  for (const StageStatus& stage : status.stages) json["stages"].push_back(to_json(stage));
  for (const InstanceStatus& instance : status.instances) json["instances"].push_back(to_json(instance));
  return json;
}

}  // namespace kernmill
