#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/run/journal.hpp"
#include "kernmill/run/run_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;

/// A line of the journal, and where it stands among the others.
struct Line {
  Json json;
  std::string event, time;
  const std::string& file;
  std::size_t number;
};

[[noreturn]] void damaged(const fs::path& file, std::size_t line, const std::string& why) {
  throw std::runtime_error(fmt::format("{}:{}: the journal is damaged here: {}", file.string(), line, why));
}

/// Calls `take` with each line that was written whole.
template <typename Take>
void for_each_line(const fs::path& file, const Take& take) {
  const std::string text = read_file(file), name = file.string();
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    ++number;
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return;  // torn: its writer died in the middle of it
    const char* data = text.data();
    Json json = Json::parse(data + begin, data + end, nullptr, false);
    begin = end + 1;
    if (!json.is_object() || !json.contains("event")) {
      if (begin == text.size()) return;
      damaged(file, number, "this line is no record");
    }
    if (json.value("v", 0) > 1) damaged(file, number, "a newer Kernmill wrote it; read it with that one");
    Line line{std::move(json), {}, {}, name, number};
    try {
      line.event = line.json.at("event").get<std::string>();
      line.time = line.json.value("time", "");
      take(line);
    } catch (const Json::exception& error) {
      damaged(file, number, error.what());
    } catch (const std::invalid_argument& error) {
      damaged(file, number, error.what());
    }
  }
}

ProcessIdentity identity(const Json& json) {
  return {json.at("pid"), json.at("start_time"), json.value("host", "")};
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

Cause cause_in(const Json& json) {
  const std::string name = json.value("cause", "error");
  if (const auto known = cause(name)) return *known;
  throw std::invalid_argument("unknown cause '" + name + "'");
}

using Ending = AttemptRecord::Ending;

class Fold {
 public:
  void take(const Line& line) {
    if (line.event == "run_started") return start_run(line);
    if (line.event == "run_finished") return finish_run(line);
    if (line.json.contains("generation")) return take_submission(line);
    if (!line.json.contains("stage") || !line.json.contains("instance")) return;
    const std::pair<std::string, unsigned> key{line.json.at("stage"), line.json.at("instance")};
    InstanceRecord& instance = record_.instances[key];
    if (line.event == "skipped") {
      instance.skipped = true;
      instance.skip_reason = line.json.value("why", "");
    } else if (line.json.contains("attempt")) {
      const unsigned number = line.json.at("attempt");
      if (line.event == "committed") commits_[key][number] = line.json;
      take_attempt(line, attempt_of(instance, number));
    }
  }

  RunRecord finish() {
    for (auto& [key, of_instance] : commits_) settle(record_.instances.at(key), of_instance);
    const bool over = finished_.time > started_.time ||
                      (finished_.file == started_.file && finished_.number > started_.number);
    if (over) {
      record_.outcome = outcome_;
      record_.ended_at = finished_.time;
    }
    return std::move(record_);
  }

 private:
  struct Moment {
    std::string time, file;
    std::size_t number = 0;
  };

  void start_run(const Line& line) {
    if (record_.started_at.empty() || line.time < record_.started_at) record_.started_at = line.time;
    if (line.time < started_.time) return;
    started_ = {line.time, line.file, line.number};
    record_.conductor = identity(line.json);
    record_.scheduler = line.json.value("scheduler", "");
  }

  void finish_run(const Line& line) {
    if (line.time < finished_.time) return;
    finished_ = {line.time, line.file, line.number};
    outcome_ = line.json.at("outcome");
  }

  void take_submission(const Line& line) {
    const unsigned number = line.json.at("generation");
    Generation& generation = record_.generations[number];
    generation.number = number;
    if (line.event == "submitting") {
      generation.token = line.json.at("token");
      generation.fail_fast = line.json.value("fail_fast", false);
      generation.no_cache = line.json.value("no_cache", false);
      for (const Json& array : line.json.at("arrays")) generation.arrays[array.at("key")].plan = array;
    } else if (line.event == "array_submitted") {
      const std::string key = line.json.at("array"), job = line.json.at("job");
      (key == "close" ? generation.closing_job : generation.arrays[key].job) = job;
    } else if (line.event == "accepted") {
      generation.accepted = true;
    } else if (line.event == "released") {
      generation.released = true;
    } else if (line.event == "rolled_back") {
      generation.rolled_back = true;
    }
  }

  static void end(AttemptRecord& attempt, Ending ending, const Line& line) {
    // What the attempt says of itself outweighs what a conductor that gave it up thought.
    const bool said_by_itself = attempt.ending != Ending::none && attempt.ending != Ending::abandoned;
    if (said_by_itself && ending == Ending::abandoned) return;
    attempt.ending = ending;
    attempt.ended_at = line.time;
    attempt.message = line.json.value("message", line.json.value("why", ""));
    attempt.exit_code = line.json.value("exit_code", 0);
    if (ending != Ending::committed) attempt.cause = cause_in(line.json);
  }

  static void take_attempt(const Line& line, AttemptRecord& attempt) {
    if (line.json.contains("job")) attempt.job = line.json.at("job");
    if (line.json.contains("slot")) attempt.slot = line.json.at("slot");
    if (line.event == "submitted") {
      attempt.submitted_at = line.time;
    } else if (line.event == "started") {
      attempt.started = true;
      attempt.started_at = line.time;
      attempt.exec = identity(line.json);
    } else if (line.event == "step_started") {
      attempt.step = identity(line.json);
    } else if (line.event == "committed") {
      end(attempt, Ending::committed, line);
      attempt.started = true;  // one taken from the cache was never anything else
      attempt.key = line.json.value("key", "");
      attempt.cached_from = line.json.value("cached_from", "");
    } else if (line.event == "failed") {
      end(attempt, Ending::failed, line);
    } else if (line.event == "stopped") {
      end(attempt, Ending::stopped, line);
    } else if (line.event == "retrying") {
      end(attempt, Ending::retrying, line);
      attempt.mem_factor = line.json.value("mem_factor", 1.0);
      attempt.time_factor = line.json.value("time_factor", 1.0);
      attempt.counts = line.json.value("counts", true);
    } else if (line.event == "abandoned") {
      end(attempt, Ending::abandoned, line);
    }
  }

  /// The fence: an older attempt that still ran, on a node that was thought lost, commits nothing.
  static void settle(InstanceRecord& instance, const std::map<unsigned, Json>& commits) {
    unsigned newest = 0;
    for (const auto& attempt : instance.attempts)
      if (attempt.started) newest = attempt.number;
    const auto counts = commits.find(newest);
    if (counts == commits.end()) return;
    instance.committed = true;
    instance.metrics = counts->second.value("metrics", Json::object());
    for (const auto& artifact : counts->second.value("artifacts", Json::array()))
      instance.artifacts.push_back(artifact_from_json(artifact));
  }

  RunRecord record_;
  std::map<std::pair<std::string, unsigned>, std::map<unsigned, Json>> commits_;
  Moment started_, finished_;
  std::string outcome_;
};

}  // namespace

const InstanceRecord* RunRecord::find(const std::string& stage, unsigned index) const {
  const auto found = instances.find({stage, index});
  return found == instances.end() ? nullptr : &found->second;
}

RunRecord fold_journal(const fs::path& journal) {
  return fold_journal(journal, [](std::string_view) { return true; });
}

RunRecord fold_journal(const fs::path& journal, const std::function<bool(std::string_view)>& wanted) {
  Fold fold;
  for (const auto& entry : fs::directory_iterator(journal))
    if (entry.path().extension() == ".jsonl" && wanted(entry.path().filename().native()))
      for_each_line(entry.path(), [&](const Line& line) { fold.take(line); });
  return fold.finish();
}

std::vector<Record> read_journal_file(const fs::path& file) {
  std::vector<Record> records;
  for_each_line(file, [&](const Line& line) {
    Json body = line.json;
    for (const char* key : {"v", "time", "event"}) body.erase(key);
    records.push_back({line.event, std::move(body)});
  });
  return records;
}

}  // namespace kernmill
