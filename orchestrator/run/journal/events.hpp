#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "kernmill/run/journal/instance_result.hpp"
#include "kernmill/run/journal/journal.hpp"

/// The events of the journal, one struct each, and how they lie on disk (the table in journal.hpp says who
/// writes which). `to_record` gives the fields in the order of the struct; what is empty, or has its default
/// where that says so, is left out. `rank_ended` has none: the SPANK plug-in writes it.
namespace kernmill::events {

/// Names of fields, for whoever writes or reads a record.
namespace field {
inline constexpr const char* pid = "pid";
inline constexpr const char* start_time = "start_time";
inline constexpr const char* host = "host";
inline constexpr const char* resumed = "resumed";
inline constexpr const char* life = "life";
inline constexpr const char* scheduler = "scheduler";
inline constexpr const char* outcome = "outcome";
inline constexpr const char* generation = "generation";
inline constexpr const char* token = "token";
inline constexpr const char* fail_fast = "fail_fast";
inline constexpr const char* no_cache = "no_cache";
inline constexpr const char* hold = "hold";
inline constexpr const char* arrays = "arrays";
inline constexpr const char* array = "array";
inline constexpr const char* job = "job";
inline constexpr const char* slot = "slot";
inline constexpr const char* node = "node";
inline constexpr const char* attempts = "attempts";
inline constexpr const char* stage = "stage";
inline constexpr const char* instance = "instance";
inline constexpr const char* attempt = "attempt";
inline constexpr const char* why = "why";
inline constexpr const char* cause = "cause";
inline constexpr const char* exit_code = "exit_code";
inline constexpr const char* signal = "signal";
inline constexpr const char* message = "message";
inline constexpr const char* mem_factor = "mem_factor";
inline constexpr const char* time_factor = "time_factor";
inline constexpr const char* counts = "counts";
inline constexpr const char* metrics = "metrics";
inline constexpr const char* artifacts = "artifacts";
inline constexpr const char* key = "key";
inline constexpr const char* cached_from = "cached_from";
inline constexpr const char* peak_memory = "peak_memory";
inline constexpr const char* warning = "warning";
inline constexpr const char* inputs = "inputs";
inline constexpr const char* digest = "digest";
}  // namespace field

struct RunStarted {
  static constexpr const char* name = "run_started";
  ProcessIdentity process;
  bool resumed = false;
  std::string scheduler = {};  ///< "slurm", when jobs carry the run on
  unsigned life = 0;           ///< of the run: the next is one more; 0: left out, of a version without
  std::optional<unsigned> generation = {};  ///< that is submitted in this life
};

struct RunFinished {
  static constexpr const char* name = "run_finished";
  std::string outcome;
  std::optional<unsigned> generation = {};  ///< that its closing job belongs to
  unsigned life = 0;                        ///< that it ends
};

struct Submitting {
  static constexpr const char* name = "submitting";
  unsigned generation = 0;
  std::string token;
  bool fail_fast = false, no_cache = false, hold = false;
  Json arrays = Json::array();  ///< as job_plan.hpp writes them
};

struct ArraySubmitted {
  static constexpr const char* name = "array_submitted";
  unsigned generation = 0;
  std::string array, job;
};

struct Accepted {
  static constexpr const char* name = "accepted";
  unsigned generation = 0;
};

struct Released {
  static constexpr const char* name = "released";
  unsigned generation = 0;
};

struct RolledBack {
  static constexpr const char* name = "rolled_back";
  unsigned generation = 0;
  std::string why;
};

struct Skipped {
  static constexpr const char* name = "skipped";
  std::string stage;
  unsigned instance = 0;
  std::string why;
};

/// The attempt that an event is about.
struct Subject {
  std::string stage;
  unsigned instance = 0, attempt = 0;
};

struct Submitted {
  static constexpr const char* name = "submitted";
  Subject of;
  std::string job, why = {};
};

/// A job that is to carry out several instances of a stage, and the numbers of the attempts that they have in
/// it: even where nothing says that one has begun, it may have.
struct Packed {
  static constexpr const char* name = "packed";
  PackRecord pack;
};

struct Started {
  static constexpr const char* name = "started";
  Subject of;
  std::string job;
  ProcessIdentity process;
  std::string slot = {};  ///< of a packed one
  std::string node = {};  ///< of a batch system, where it has been given one alone
};

/// Declared files that an attempt found other than the run knew them.
struct InputsChanged {
  static constexpr const char* name = "inputs_changed";
  Subject of;
  std::vector<std::pair<std::string, std::string>> inputs;  ///< absolute path, what it found
};

/// What a whole stage has left: in what is handed over to an attempt, not in the journal.
struct StageLeft {
  static constexpr const char* name = "stage_left";
  std::string stage;
  StageLeavings left;
};

struct StepStarted {
  static constexpr const char* name = "step_started";
  Subject of;
  ProcessIdentity process;
};

struct Committed {
  static constexpr const char* name = "committed";
  Subject of;
  CommittedResult result = {};  ///< no key and no cached_from: left out
};

struct Abandoned {
  static constexpr const char* name = "abandoned";
  Subject of;
  std::optional<Cause> cause = {};
  std::string why;
  std::string node = {};  ///< because of which it ended
};

/// Why an attempt ended without a commit, in its own words.
struct Reason {
  Cause cause = Cause::error;
  std::optional<int> exit_code = {};
  int signal = 0;  ///< 0: none, left out
  std::string message;
  std::string node = {};          ///< because of which it ended
  std::uint64_t peak_memory = 0;  ///< as CommittedResult has it
};

/// What an attempt has committed is not there any more as it was.
struct ResultLost {
  static constexpr const char* name = "result_lost";
  Subject of;
  std::string why;
};

struct Failed {
  static constexpr const char* name = "failed";
  Subject of;
  Reason reason;
};

struct Stopped {
  static constexpr const char* name = "stopped";
  Subject of;
  Reason reason;
};

struct Retrying {
  static constexpr const char* name = "retrying";
  Subject of;
  Reason reason;
  double mem_factor = 1.0, time_factor = 1.0;
  std::optional<bool> counts = {};  ///< left out: yes
};

Record to_record(const RunStarted& event);
Record to_record(const RunFinished& event);
Record to_record(const Submitting& event);
Record to_record(const ArraySubmitted& event);
Record to_record(const Accepted& event);
Record to_record(const Released& event);
Record to_record(const RolledBack& event);
Record to_record(const Skipped& event);
Record to_record(const Submitted& event);
Record to_record(const Packed& event);
Record to_record(const Started& event);
Record to_record(const InputsChanged& event);
Record to_record(const StageLeft& event);
Record to_record(const StepStarted& event);
Record to_record(const Committed& event);
Record to_record(const Abandoned& event);
Record to_record(const ResultLost& event);
Record to_record(const Failed& event);
Record to_record(const Stopped& event);
Record to_record(const Retrying& event);

/// What the body of a `committed` record says.
CommittedResult committed_result(const Json& body);

}  // namespace kernmill::events
