#include "kernmill/report/attempt_history.hpp"

#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/report/quantity.hpp"
#include "kernmill/report/remedy.hpp"
#include "kernmill/workflow/text/unicode.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill {
namespace {

std::string_view word_of(const AttemptRecord& attempt) {
  switch (attempt.state) {
    case AttemptState::open:
      return attempt.started ? "started" : "submitted";
    case AttemptState::committed:
      return attempt.cached_from.empty() ? "done" : "cached";
    case AttemptState::failed:
      return "failed";
    case AttemptState::stopped:
      return "stopped";
    case AttemptState::abandoned:
      return "given up";
    case AttemptState::retrying:
      return "failed, tried again";
    case AttemptState::lost:
      return "its result is lost";
  }
  return "";
}

bool has_cause(const AttemptRecord& attempt) {
  return attempt.state != AttemptState::open && attempt.state != AttemptState::committed &&
         attempt.state != AttemptState::lost;
}

std::string signal_text(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name == nullptr ? fmt::format("signal {}", signal) : fmt::format("signal {} (SIG{})", signal, name);
}

std::string memory_text(std::uint64_t peak, std::uint64_t limit) {
  if (peak == 0) return limit == 0 ? "" : fmt::format("memory limit {}", bytes_text(limit));
  return fmt::format("peak memory {}{}", bytes_text(peak),
                     limit == 0 ? "" : fmt::format(" of {}", bytes_text(limit)));
}

std::string time_of(const AttemptRecord& attempt, std::chrono::seconds limit) {
  const std::string& began = attempt.started_at.empty() ? attempt.submitted_at : attempt.started_at;
  std::string text = began.empty() ? "" : time_text(began) + " UTC";
  if (const auto took = between(began, attempt.ended_at)) {
    text += ", took " + duration_text(*took);
    if (limit.count() > 0) text += " of " + spell_time(limit);
  }
  return text;
}

std::string lines_of(const std::string& message) {
  std::string text;
  const std::string shown = printable(message.substr(0, message.find_last_not_of('\n') + 1));
  for (std::size_t at = 0; at < shown.size();) {
    const std::size_t end = std::min(shown.find('\n', at), shown.size());
    text += "    " + shown.substr(at, end - at) + '\n';
    at = end + 1;
  }
  return text;
}

}  // namespace

const RankEnd* AttemptHistory::rank_of(const AttemptRecord& attempt) const {
  const auto found = ranks_.find({plan_.stage(id_.stage).name, id_.index, attempt.number});
  return found == ranks_.end() ? nullptr : &found->second;
}

/// "failed, tried again (oom)  2026-11-21 04:05:06 UTC, took 12 s of 10m, on n3, signal 9 (SIGKILL), ..."
std::string AttemptHistory::facts(std::size_t at) const {
  const AttemptRecord& attempt = known_.attempts[at];
  const AttemptLimits limits = limits_of(plan_, id_, known_, at);
  std::vector<std::string> facts;
  const auto add = [&](std::string fact) {
    if (!fact.empty()) facts.push_back(std::move(fact));
  };
  add(time_of(attempt, limits.time));
  if (!attempt.node.empty()) add("on " + printable_line(attempt.node));
  if (!attempt.job.empty() && attempt.job.find_first_not_of("0123456789_") == std::string::npos)
    add("job " + attempt.job);
  if (has_cause(attempt) && attempt.signal != 0) add(signal_text(attempt.signal));
  if (has_cause(attempt) && attempt.signal == 0 && attempt.exit_code != 0)
    add(fmt::format("exit status {}", attempt.exit_code));
  if (attempt.state != AttemptState::open) add(memory_text(attempt.peak_memory, limits.mem));
  const std::string cause = has_cause(attempt) ? fmt::format(" ({})", to_string(attempt.cause)) : "";
  return fmt::format("{}{}  {}", word_of(attempt), cause, fmt::join(facts, ", "));
}

std::string AttemptHistory::text() const {
  std::string text;
  for (std::size_t at = 0; at < known_.attempts.size(); ++at) {
    const AttemptRecord& attempt = known_.attempts[at];
    text += fmt::format("  attempt {}  {}\n", attempt.number, facts(at));
    text += lines_of(attempt.message);
    if (!attempt.warning.empty()) text += lines_of("warning: " + attempt.warning);
    if (const RankEnd* rank = rank_of(attempt)) text += lines_of(to_string(*rank));
  }
  return text;
}

Json AttemptHistory::json() const {
  Json list = Json::array();
  for (std::size_t at = 0; at < known_.attempts.size(); ++at) {
    const AttemptRecord& attempt = known_.attempts[at];
    const AttemptLimits limits = limits_of(plan_, id_, known_, at);
    Json& json = list.emplace_back(Json{{"attempt", attempt.number}, {"state", word_of(attempt)}});
    const auto add = [&](const char* key, const std::string& text) {
      if (!text.empty()) json[key] = text;
    };
    if (has_cause(attempt)) {
      json["cause"] = to_string(attempt.cause);
      json["exit_code"] = attempt.exit_code;
      if (attempt.signal != 0) json["signal"] = attempt.signal;
    }
    add("started_at", attempt.started_at);
    add("ended_at", attempt.ended_at);
    if (const auto took = between(attempt.started_at, attempt.ended_at)) json["seconds"] = took->count();
    add("node", attempt.node);
    add("job", attempt.job);
    if (attempt.peak_memory > 0) json["peak_memory"] = attempt.peak_memory;
    if (limits.mem > 0) json["memory_limit"] = limits.mem;
    if (limits.time.count() > 0) json["time_limit"] = limits.time.count();
    add("message", attempt.message);
    add("warning", attempt.warning);
    if (const RankEnd* rank = rank_of(attempt)) add("rank", to_string(*rank));
  }
  return list;
}

}  // namespace kernmill
