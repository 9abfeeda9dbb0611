#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/journal_line.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
namespace field = events::field;
using Line = JournalLine;
using InstanceKey = std::pair<std::string, unsigned>;

unsigned number_in(const Line& line, std::string_view key) {
  return static_cast<unsigned>(line.number(key));
}

ProcessIdentity identity(const Line& line) {
  return {static_cast<int>(line.number(field::pid)), line.number(field::start_time),
          std::string(line.text(field::host, ""))};
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

class Fold {
 public:
  void take(const Line& line) {
    const std::string_view event = line.event();
    if (event == events::RunStarted::name) return start_run(line);
    if (event == events::RunFinished::name) return finish_run(line);
    if (line.has(field::generation)) return take_submission(line);
    if (event == events::Packed::name) return take_pack(line);
    if (line.has(field::stage) && line.has(field::instance)) take_instance(line, event);
  }

  RunRecord finish() {
    for (auto& [key, known] : instances_)
      record_.instances.emplace_hint(record_.instances.end(), key, settled(std::move(known)));
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
    std::string time;
    fs::path file;
    std::size_t number = 0;
    explicit Moment(const Line& line) : time(line.time()), file(line.file()), number(line.line()) {}
    Moment() = default;
  };

  /// What an attempt said that it leaves, before it is known which attempt counts.
  struct Leavings {
    unsigned attempt = 0;
    Json metrics, artifacts;
  };

  struct Known {
    InstanceRecord record;
    std::vector<Leavings> commits;
  };

  void start_run(const Line& line) {
    if (record_.started_at.empty() || line.time() < record_.started_at) record_.started_at = line.time();
    if (line.time() < started_.time) return;
    started_ = Moment(line);
    record_.conductor = identity(line);
    record_.scheduler = line.text(field::scheduler, "");
  }

  void finish_run(const Line& line) {
    if (line.time() < finished_.time) return;
    finished_ = Moment(line);
    outcome_ = line.text(field::outcome);
  }

  void take_submission(const Line& line) {
    const unsigned number = number_in(line, field::generation);
    Generation& generation = record_.generations[number];
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

  void take_pack(const Line& line) {
    PackRecord pack{std::string(line.text(field::stage)), std::string(line.text(field::job))};
    for (const Json& list : line.json(field::attempts)) {
      const PackRecord::Range range{list.at(0), list.at(1), list.at(2)};
      pack.attempts.push_back(range);
      for (unsigned instance = range.first; instance <= range.last; ++instance) {
        unsigned& handed_out = instances_[{pack.stage, instance}].record.handed_out;
        handed_out = std::max(handed_out, range.attempt);
      }
    }
    record_.packs.push_back(std::move(pack));
  }

  void take_instance(const Line& line, std::string_view event) {
    Known& known = instances_[{std::string(line.text(field::stage)), number_in(line, field::instance)}];
    if (event == events::Skipped::name) {
      known.record.skipped = true;
      known.record.skip_reason = line.text(field::why, "");
    } else if (line.has(field::attempt)) {
      const unsigned number = number_in(line, field::attempt);
      if (event == events::Committed::name) known.commits.push_back(leavings_in(line, number));
      take_attempt(line, event, attempt_of(known.record, number));
    }
  }

  static Leavings leavings_in(const Line& line, unsigned attempt) {
    Leavings leavings{attempt, Json::object(), Json::array()};
    if (line.has(field::metrics)) leavings.metrics = line.json(field::metrics);
    if (line.has(field::artifacts)) leavings.artifacts = line.json(field::artifacts);
    return leavings;
  }

  static void end(AttemptRecord& attempt, AttemptState state, const Line& line) {
    // What the attempt says of itself outweighs what a conductor that gave it up thought.
    const bool said_by_itself =
        attempt.state != AttemptState::open && attempt.state != AttemptState::abandoned;
    if (said_by_itself && state == AttemptState::abandoned) return;
    attempt.state = state;
    attempt.ended_at = line.time();
    attempt.message = line.text(field::message, line.text(field::why, ""));
    attempt.failed_node = line.text(field::node, "");
    attempt.exit_code = static_cast<int>(line.number(field::exit_code, 0));
    attempt.signal = static_cast<int>(line.number(field::signal, 0));
    if (state != AttemptState::committed) attempt.cause = cause_in(line);
  }

  static void take_attempt(const Line& line, std::string_view event, AttemptRecord& attempt) {
    if (line.has(field::job)) attempt.job = line.text(field::job);
    if (line.has(field::slot)) attempt.slot = line.text(field::slot);
    if (event == events::Submitted::name) {
      attempt.submitted_at = line.time();
    } else if (event == events::Started::name) {
      attempt.started = true;
      attempt.started_at = line.time();
      attempt.exec = identity(line);
      attempt.node = line.text(field::node, "");
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
  static InstanceRecord settled(Known known) {
    unsigned newest = 0;
    for (const auto& attempt : known.record.attempts)
      if (attempt.started) newest = attempt.number;
    for (Leavings& leavings : known.commits) {
      if (leavings.attempt != newest) continue;
      known.record.committed = true;
      known.record.metrics = std::move(leavings.metrics);
      known.record.artifacts.clear();
      for (const auto& artifact : leavings.artifacts)
        known.record.artifacts.push_back(artifact_from_json(artifact));
    }
    return std::move(known.record);
  }

  RunRecord record_;
  std::map<InstanceKey, Known> instances_;
  Moment started_, finished_;
  std::string outcome_;
};

std::vector<Record> records_in(std::string text, const fs::path& file) {
  std::vector<Record> records;
  for_each_line(std::move(text), file, [&](const Line& line) {
    Json body = line.json();
    for (const char* key : {"v", "time", "event", "crc"}) body.erase(key);
    records.push_back({std::string(line.event()), std::move(body), std::string(line.time())});
  });
  return records;
}

/// Whether the file is a conductor's, which gathers those of jobs.
bool is_gathering(std::string_view file) {
  return file.ends_with(".conductor.jsonl");
}

/// Nothing when the file has gone, and may have.
std::optional<std::string> text_of_file(const fs::path& file, bool may_be_gone) {
  try {
    return read_file(file);
  } catch (const std::system_error& error) {
    if (may_be_gone && error.code() == std::errc::no_such_file_or_directory) return {};
    throw;
  }
}

}  // namespace

const InstanceRecord* RunRecord::find(const std::string& stage, unsigned index) const {
  const auto found = instances.find({stage, index});
  return found == instances.end() ? nullptr : &found->second;
}

RunRecord fold_journal(const fs::path& journal) {
  return fold_journal(journal, [](std::string_view) { return true; });
}

// A conductor gathers the files of jobs into its own and removes them (gathered_files.hpp). Its file is
// therefore looked for, and read, after those of the jobs: what was gathered before we came to it is there.
RunRecord fold_journal(const fs::path& journal, const std::function<bool(std::string_view)>& wanted) {
  Fold fold;
  const auto take = [&](const Line& line) { fold.take(line); };
  for (const bool gathering : {false, true})
    for (const auto& entry : fs::directory_iterator(journal)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".jsonl") || is_gathering(name) != gathering || !wanted(name)) continue;
      if (auto text = text_of_file(entry.path(), /*may_be_gone=*/!gathering))
        for_each_line(std::move(*text), entry.path(), take);
    }
  return fold.finish();
}

RunRecord fold_lines(std::string lines, const fs::path& from) {
  Fold fold;
  for_each_line(std::move(lines), from, [&](const Line& line) { fold.take(line); });
  return fold.finish();
}

std::vector<Record> read_journal_file(const fs::path& file) {
  return records_in(read_file(file), file);
}

std::vector<Record> read_new_records(const fs::path& file, std::uintmax_t& from) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return {};
  stream.seekg(static_cast<std::streamoff>(from));
  std::string text(std::istreambuf_iterator<char>(stream), {});
  text.resize(text.rfind('\n') + 1);
  from += text.size();
  return records_in(std::move(text), file);
}

}  // namespace kernmill
