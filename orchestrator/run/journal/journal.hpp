#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"

namespace kernmill {

// clang-format off
/// One line of the journal: `{"v":1,"time":"2026-11-21T04:05:06.123Z","event":"committed", ...}`.
///
/// | event        | written by            | carries |
/// |---|---|---|
/// | run_started  | conductor, submit     | pid, start_time, host, resumed; scheduler ("slurm"), when jobs carry it on; life: one more than any before it; generation that is submitted in it |
/// | submitted    | conductor             | stage, instance, attempt, job |
/// | skipped      | conductor             | stage, instance, why |
/// | abandoned    | conductor, closing job, next attempt | stage, instance, attempt, why (found dead on resume, or ended by it); node, where one is known to be the cause |
/// | result_lost  | conductor, submit     | stage, instance, attempt, why (what it committed is gone or changed: the instance is open again) |
/// | run_finished | conductor, closing job | outcome: done, failed, interrupted, cancelled; life: that it ends |
/// | submitting   | submit                | generation, token, fail_fast, no_cache, arrays (as job_plan.hpp writes them) |
/// | array_submitted | submit             | generation, array (its key; "close": the closing job), job |
/// | accepted     | submit                | generation (every id is durable: its jobs may be released) |
/// | released     | submit                | generation |
/// | rolled_back  | submit                | generation, why |
/// | packed       | conductor             | stage, job, attempts: [first instance, last, number of their attempt], ... |
/// | started      | exec                  | stage, instance, attempt, job, pid, start_time, host; slot, of a packed one; node, of a batch system, where it has one alone |
/// | inputs_changed | exec                | stage, instance, attempt, inputs: {absolute path: what it found}, where that is not what the run knew of it |
/// | step_started | exec                  | stage, instance, attempt, pid, start_time, host |
/// | committed    | exec; conductor for a cached one | stage, instance, attempt, metrics, artifacts, key, cached_from; peak_memory: bytes of its largest process; warning: of what it left, something could not be read |
/// | failed       | exec                  | stage, instance, attempt, cause, exit_code, signal, message, peak_memory; node, where one is known to be the cause |
/// | stopped      | exec                  | stage, instance, attempt, cause (asked to stop; its checkpoints stay) |
/// | rank_ended   | the SPANK plug-in     | stage, instance, attempt, job, step, rank, node, pid, exit_code or signal, memory |
/// | retrying     | exec                  | as failed, and mem_factor, time_factor: factors of the next attempt, which the same job makes; counts: whether it uses up one of the retries |
///
/// A reader ignores events that it does not know. While a step runs, its writer touches the file every 30 seconds
/// (KERNMILL_HEARTBEAT): the time of a file whose attempt has no end shows whether anybody still watches it.
// clang-format on
struct Record {
  std::string event;
  Json body = Json::object();  ///< everything but v, time and event
  std::string time = {};       ///< when it was written, of one that was read
};

/// As a line of the journal, with the time of now and its end of line.
std::string to_line(const Record& record);

/// Appends to one file of the journal, `<job>.<restart>.<host>.<role>.jsonl`, which must be new: no other
/// process writes it. A record is on disk (fdatasync) when `append` returns. Throws std::system_error that
/// names the file; what a failed append left of its line is taken back.
class JournalWriter {
 public:
  /// Called before and after each record is made durable: for tests that end the process right there.
  using Hook = std::function<void(const Record&, bool durable)>;
  JournalWriter(const std::filesystem::path& journal, const std::string& job, unsigned restart,
                const std::string& role, Hook hook = {});
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;
  void append(const Record& record);
  /// Appends several at the price of one: all of them are on disk when it returns.
  void append_all(const std::vector<Record>& records);
  /// Appends lines that other processes wrote, as they are; they are on disk when it returns.
  void append_lines(const std::string& lines);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  void write_durably(const std::string& lines);
  std::filesystem::path path_;
  int fd_ = -1;
  Hook hook_;
};

/// A file that a stage left, as its commit record describes it.
struct Artifact {
  std::string name;  ///< "dataset", "model", ... or a command's output
  std::string path;  ///< absolute
  std::uint64_t bytes = 0;
  std::string sha256;
  bool temp = false;  ///< it goes when nobody needs it any more
};

/// `{"name":..., "path":..., "bytes":..., "sha256":...}`, as commit records hold it.
Json to_json(const Artifact& artifact);
Artifact artifact_from_json(const Json& json);

/// A process that may still run: by pid and start time (clock ticks since boot, field 22 of /proc/PID/stat).
struct ProcessIdentity {
  int pid = 0;
  std::uint64_t start_time = 0;
  std::string host;
};

/// How an attempt has ended, as far as the journal knows; open: there is no end record; lost: it committed
/// what is no longer there.
enum class AttemptState { open, committed, failed, stopped, abandoned, retrying, lost };

/// What the journal says of one attempt.
struct AttemptRecord {
  unsigned number = 0;
  std::string job;
  bool started = false;
  AttemptState state = AttemptState::open;
  Cause cause = Cause::error;
  int exit_code = 0;
  int signal = 0;  ///< that ended it
  std::string message;
  std::string submitted_at, started_at, ended_at;  ///< ISO 8601, UTC
  ProcessIdentity exec, step;
  double mem_factor = 1.0, time_factor = 1.0;  ///< of the attempt after it, when it is retried
  bool counts = true;                          ///< against the retries that its stage allows, likewise
  std::string key;                             ///< cache key it was committed under
  std::string cached_from;                     ///< attempt directory that its artifacts were taken from
  std::string node;                            ///< of a batch system, where it had one alone
  std::string failed_node;                     ///< because of which it ended
  std::string slot;                            ///< of a packed one: where its logs lie (RunDirectory::slot)
  std::uint64_t peak_memory = 0;               ///< bytes that its largest process had; 0: not known
  std::string warning;                         ///< of what it left, something could not be read
  /// Declared files that it found other than the run knew them: absolute path, and what it found.
  std::vector<std::pair<std::string, std::string>> other_inputs;
};

struct InstanceRecord {
  unsigned handed_out = 0;              ///< the highest number that an attempt in a pack was given; 0: none
  std::vector<AttemptRecord> attempts;  ///< by number, ascending
  bool committed = false;
  bool skipped = false;
  std::string skip_reason;
  std::string why;                ///< its first attempt was started
  Json metrics = Json::object();  ///< of the committed attempt
  std::vector<Artifact> artifacts;
};

/// One act of submitting a run, or what was missing of it, to a cluster.
struct Generation {
  struct Array {
    Json plan;        ///< as job_plan.hpp writes an ArrayPlan
    std::string job;  ///< empty as long as no id is known
  };
  unsigned number = 0;
  std::string token;  ///< stands in the comment of each of its jobs
  bool fail_fast = false;
  bool no_cache = false;
  std::map<std::string, Array> arrays;  ///< by key
  std::string closing_job;
  bool accepted = false, released = false, rolled_back = false;
};

/// Instances of a stage that one job was to carry out, and the numbers of the attempts that they had in it.
struct PackRecord {
  struct Range {
    unsigned first = 0, last = 0, attempt = 1;  ///< instances from first to last
  };
  std::string stage, job;
  std::vector<Range> attempts = {};
};

/// What the instances of a stage have left, taken together.
struct StageLeavings {
  std::string digest;   ///< of all artifacts and metrics; empty: it cannot be told
  std::string unknown;  ///< why not: "train[3] has left no artifact"
};

/// The journal folded: what is known of every instance that has a record.
struct RunRecord {
  std::map<std::pair<std::string, unsigned>, InstanceRecord> instances;  ///< by stage name and index
  std::string started_at, ended_at;
  std::string outcome;        ///< of the newest life of the run; empty while it has not ended
  ProcessIdentity conductor;  ///< of the newest run_started
  std::string scheduler;      ///< of the newest run_started: "slurm", or empty
  unsigned life = 0;          ///< the newest; 0: none has begun, or all in versions that did not count them
  std::map<unsigned, unsigned> lives;  ///< in which each generation was submitted; ADR 0015
  std::map<unsigned, Generation> generations;
  std::vector<PackRecord> packs;              ///< that a conductor made
  std::map<std::string, StageLeavings> left;  ///< of whole stages whose results are not among the instances
  [[nodiscard]] const InstanceRecord* find(const std::string& stage, unsigned index) const;
};

/// Folds every file of the journal, while others write and gather it, too. A torn last line is no record. A
/// commit counts only from the newest attempt that has started (one taken from the cache starts with its
/// commit), and as long as nobody has found its result lost. Throws std::runtime_error with file and line for
/// a damaged line that is not the last.
RunRecord fold_journal(const std::filesystem::path& journal);
/// The same of those files alone whose names (not paths) are wanted.
RunRecord fold_journal(const std::filesystem::path& journal,
                       const std::function<bool(std::string_view file)>& wanted);
/// The same of lines that are no file; `from` stands for it in messages.
RunRecord fold_lines(std::string lines, const std::filesystem::path& from);

/// The records of one file, in order; a torn last line is left out. Throws as `fold_journal` does.
std::vector<Record> read_journal_file(const std::filesystem::path& file);
/// Those of a file that is still written, from a place in it on, which becomes that of the first line that is
/// not whole yet. None when there is no file.
std::vector<Record> read_new_records(const std::filesystem::path& file, std::uintmax_t& from);

}  // namespace kernmill
