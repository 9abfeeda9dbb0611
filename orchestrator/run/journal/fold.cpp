#include "kernmill/run/journal/fold.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <tuple>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/journal/events.hpp"

namespace kernmill {
namespace {

namespace field = events::field;
using Line = JournalLine;
using KnownInstance = FoldState::Known;

unsigned number_in(const Line& line, std::string_view key) {
  return line.small_number(key);
}

/// How many instances a range of a pack may have: each is looked at.
constexpr unsigned most_in_range = 1'000'000;

PackRecord::Range range_in(const Json& list) {
  const auto number = [&](std::size_t at) {
    const Json& value = list.at(at);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= std::numeric_limits<unsigned>::max())
      throw std::invalid_argument("an attempt of a pack is no number");
    return value.get<unsigned>();
  };
  const PackRecord::Range range{number(0), number(1), number(2)};
  if (range.last < range.first || range.last - range.first >= most_in_range)
    throw std::invalid_argument("the instances of a pack are no range");
  return range;
}

ProcessIdentity identity(const Line& line) {
  return {static_cast<int>(line.small_number(field::pid)), line.number(field::start_time),
          std::string(line.text(field::host, ""))};
}

FoldState::Moment moment(const Line& line) {
  return {static_cast<unsigned>(line.number(field::life, 0)), std::string(line.time()),
          line.file().filename().string(), line.line()};
}

bool is_before(const FoldState::Moment& a, const FoldState::Moment& b) {
  if (a.life != b.life) return a.life < b.life;
  if (a.life == 0 && a.time != b.time) return a.time < b.time;
  return std::tie(a.file, a.line) < std::tie(b.file, b.line);
}

/// Of two ends of one life, whose writers did not know of each other, the one that a person wished counts,
/// then the one that leaves more to be done.
int weight(std::string_view outcome) {
  return outcome == "cancelled" ? 3 : outcome == "failed" ? 2 : outcome == "interrupted" ? 1 : 0;
}

AttemptRecord& attempt_of(InstanceRecord& instance, unsigned number) {
  auto& list = instance.attempts;
  const auto at = std::lower_bound(list.begin(), list.end(), number,
                                   [](const AttemptRecord& a, unsigned n) { return a.number < n; });
  if (at != list.end() && at->number == number) return *at;
  AttemptRecord fresh;
  fresh.number = number;
  return *list.insert(at, std::move(fresh));
}

Cause cause_in(const Line& line) {
  const std::string name(line.text(field::cause, "error"));
  if (const auto known = cause(name)) return *known;
  throw std::invalid_argument("unknown cause '" + name + "'");
}

void end(AttemptRecord& attempt, AttemptState state, const Line& line) {
  // What the attempt says of itself outweighs what a conductor that gave it up thought.
  const bool said_by_itself = attempt.state != AttemptState::open && attempt.state != AttemptState::abandoned;
  if (said_by_itself && state == AttemptState::abandoned) return;
  attempt.state = state;
  attempt.ended_at = line.time();
  attempt.message = line.text(field::message, line.text(field::why, ""));
  attempt.failed_node = line.text(field::node, "");
  attempt.exit_code = static_cast<int>(line.number(field::exit_code, 0));
  attempt.signal = static_cast<int>(line.number(field::signal, 0));
  attempt.peak_memory =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, line.number(field::peak_memory, 0)));
  attempt.warning = line.text(field::warning, "");
  if (state != AttemptState::committed) attempt.cause = cause_in(line);
}

void take_attempt(const Line& line, std::string_view event, AttemptRecord& attempt) {
  if (line.has(field::job)) attempt.job = line.text(field::job);
  if (line.has(field::slot)) attempt.slot = line.text(field::slot);
  if (event == events::Submitted::name) {
    attempt.submitted_at = line.time();
  } else if (event == events::Started::name) {
    attempt.started = true;
    attempt.started_at = line.time();
    attempt.exec = identity(line);
    attempt.node = line.text(field::node, "");
  } else if (event == events::InputsChanged::name) {
    const Json inputs = line.json(field::inputs);
    for (const auto& [path, found] : inputs.items())
      if (found.is_string()) attempt.other_inputs.emplace_back(path, found.get<std::string>());
  } else if (event == events::StepStarted::name) {
    attempt.step = identity(line);
  } else if (event == events::Committed::name) {
    end(attempt, AttemptState::committed, line);
    attempt.started = true;  // one taken from the cache was never anything else
    attempt.key = line.text(field::key, "");
    attempt.cached_from = line.text(field::cached_from, "");
  } else if (event == events::Failed::name) {
    end(attempt, AttemptState::failed, line);
  } else if (event == events::Stopped::name) {
    end(attempt, AttemptState::stopped, line);
  } else if (event == events::Retrying::name) {
    end(attempt, AttemptState::retrying, line);
    attempt.mem_factor = line.real(field::mem_factor, 1.0);
    attempt.time_factor = line.real(field::time_factor, 1.0);
    attempt.counts = line.flag(field::counts, true);
  } else if (event == events::Abandoned::name) {
    end(attempt, AttemptState::abandoned, line);
  }
}

/// The fence: an older attempt that still ran, on a node that was thought lost, commits nothing.
InstanceRecord settled(KnownInstance known) {
  for (auto& [number, why] : known.lost) {
    AttemptRecord& attempt = attempt_of(known.record, number);
    attempt.state = AttemptState::lost;
    attempt.message = std::move(why);
  }
  unsigned newest = 0;
  for (const auto& attempt : known.record.attempts)
    if (attempt.started) newest = attempt.number;
  for (const FoldState::Leavings& leavings : known.commits) {
    if (leavings.attempt != newest || known.lost.contains(leavings.attempt)) continue;
    known.record.committed = true;
    known.record.metrics = leavings.metrics.empty() ? Json(Json::object()) : Json::parse(leavings.metrics);
    known.record.artifacts.clear();
    if (leavings.artifacts.empty()) continue;
    for (const auto& artifact : Json::parse(leavings.artifacts))
      known.record.artifacts.push_back(artifact_from_json(artifact));
  }
  return std::move(known.record);
}

}  // namespace

void Fold::take(const Line& line) {
  const std::string_view event = line.event();
  if (event == events::RunStarted::name) return start_run(line);
  if (event == events::RunFinished::name) return finish_run(line);
  if (line.has(field::generation)) return take_submission(line);
  if (event == events::Packed::name) return take_pack(line);
  if (event == events::StageLeft::name) {
    state_.record.left[std::string(line.text(field::stage))] = {std::string(line.text(field::digest)),
                                                                std::string(line.text(field::why, ""))};
    return;
  }
  if (line.has(field::stage) && line.has(field::instance)) take_instance(line, event);
}

RunRecord Fold::finish() {
  RunRecord& record = state_.record;
  for (auto& [key, known] : state_.instances)
    record.instances.emplace_hint(record.instances.end(), key, settled(std::move(known)));
  const FoldState::Moment &started = state_.started, &finished = state_.finished;
  const bool is_counted = started.life > 0 && finished.life == started.life;
  const bool is_later =
      finished.time > started.time || (finished.file == started.file && finished.line > started.line);
  const bool over =
      finished.life > started.life || is_counted || (started.life == 0 && finished.life == 0 && is_later);
  if (over) {
    record.outcome = state_.outcome;
    record.ended_at = finished.time;
  }
  return std::move(record);
}

Fold::Instance Fold::instance(std::string stage, unsigned index) {
  const PlainCommit* row = to_look_ ? state_.plain.find(stage, index) : nullptr;
  if (row == nullptr) return state_.instances.try_emplace({std::move(stage), index}).first;
  KnownInstance known{state_.plain.record(*row), {}, {}};
  const TextBlock& texts = state_.plain.texts();
  known.commits.push_back(
      {row->attempt, std::string(texts.at(row->metrics)), std::string(texts.at(row->artifacts))});
  known.record.committed = false;  // whether it counts is known at the end
  known.record.metrics = Json::object();
  known.record.artifacts.clear();
  state_.plain.remove(stage, index);
  return state_.instances.insert_or_assign({std::move(stage), index}, std::move(known)).first;
}

void Fold::start_run(const Line& line) {
  RunRecord& record = state_.record;
  FoldState::Moment begun = moment(line);
  if (record.started_at.empty() || is_before(begun, state_.first)) {
    record.started_at = line.time();
    state_.first = begun;
  }
  if (line.has(field::generation)) record.lives[number_in(line, field::generation)] = begun.life;
  if (is_before(begun, state_.started)) return;
  state_.started = std::move(begun);
  record.life = state_.started.life;
  record.conductor = identity(line);
  record.scheduler = line.text(field::scheduler, "");
}

void Fold::finish_run(const Line& line) {
  FoldState::Moment ended = moment(line);
  const std::string outcome(line.text(field::outcome));
  const bool same_life = ended.life > 0 && ended.life == state_.finished.life;
  if (same_life ? weight(outcome) < weight(state_.outcome) : is_before(ended, state_.finished)) return;
  state_.finished = std::move(ended);
  state_.outcome = outcome;
}

void Fold::take_submission(const Line& line) {
  const unsigned number = number_in(line, field::generation);
  Generation& generation = state_.record.generations[number];
  generation.number = number;
  if (line.event() == events::Submitting::name) {
    generation.token = line.text(field::token);
    generation.fail_fast = line.flag(field::fail_fast, false);
    generation.no_cache = line.flag(field::no_cache, false);
    for (const Json& array : line.json(field::arrays)) generation.arrays[array.at("key")].plan = array;
  } else if (line.event() == events::ArraySubmitted::name) {
    const std::string key(line.text(field::array));
    (key == closing_key ? generation.closing_job : generation.arrays[key].job) = line.text(field::job);
  } else if (line.event() == events::Accepted::name) {
    generation.accepted = true;
  } else if (line.event() == events::Released::name) {
    generation.released = true;
  } else if (line.event() == events::RolledBack::name) {
    generation.rolled_back = true;
  }
}

void Fold::take_pack(const Line& line) {
  PackRecord pack{std::string(line.text(field::stage)), std::string(line.text(field::job))};
  for (const Json& list : line.json(field::attempts)) {
    const PackRecord::Range range = range_in(list);
    pack.attempts.push_back(range);
    if (to_look_) continue;
    for (unsigned index = range.first; index <= range.last; ++index) {
      unsigned& handed_out = instance(pack.stage, index)->second.record.handed_out;
      handed_out = std::max(handed_out, range.attempt);
    }
  }
  state_.record.packs.push_back(std::move(pack));
}

void Fold::take_instance(const Line& line, std::string_view event) {
  const Instance of = instance(std::string(line.text(field::stage)), number_in(line, field::instance));
  KnownInstance& known = of->second;
  if (event == events::Skipped::name) {
    known.record.skipped = true;
    known.record.skip_reason = line.text(field::why, "");
  } else if (line.has(field::attempt)) {
    const unsigned number = number_in(line, field::attempt);
    if (event == events::ResultLost::name) {
      known.lost[number] = line.text(field::why, "");
      return;
    }
    if (event == events::Submitted::name && number == 1 && line.has(field::why))
      known.record.why = line.text(field::why);
    if (event == events::Committed::name)
      known.commits.push_back(
          {number, line.metrics_text(field::metrics), line.artifacts_text(field::artifacts)});
    AttemptRecord& attempt = attempt_of(known.record, number);
    take_attempt(line, event, attempt);
    if (to_look_ && attempt.state == AttemptState::committed) make_plain(of);
  }
}

void Fold::make_plain(Instance of) {
  const KnownInstance& known = of->second;
  if (known.commits.empty() || !known.lost.empty() || known.record.attempts.size() != 1 ||
      known.commits.back().attempt != known.record.attempts.front().number)
    return;
  const FoldState::Leavings& left = known.commits.back();
  if (state_.plain.take(of->first.first, of->first.second, known.record, left.metrics, left.artifacts))
    state_.instances.erase(of);
}

}  // namespace kernmill
