#pragma once
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/plain_commits.hpp"
#include "kernmill/run/submit/cluster_view.hpp"

namespace kernmill {

/// What became of one instance so far, in the words of a person.
struct InstanceStatus {
  InstanceId id;
  std::string label;
  State state = State::waiting;
  bool interrupted = false;  ///< its last attempt was stopped, abandoned or lost: `resume` goes on with it
  bool cached = false;
  unsigned attempts = 0;
  Cause cause = Cause::error;
  int exit_code = 0;
  int signal = 0;
  std::string why;      ///< its first attempt was started
  std::string message;  ///< of the failure; or why it was skipped
  std::string help;     ///< what to do about the failure; may be empty
  std::string cached_from;
  std::chrono::duration<double> took{0};
  Json values = Json::object();   ///< of its matrix
  Json written = Json::object();  ///< the same as they were written, for people
  Json metrics = Json::object();
  Json progress = Json::object();  ///< of a training that runs: see training_progress.hpp
  std::vector<Artifact> artifacts;
  Json point = Json::object();          ///< of the best trial, for the reduce of a tune stage
  std::vector<std::string> output;      ///< the last lines that a command printed
  std::string node;                     ///< that a batch system gave its last attempt; may be empty
  std::uint64_t peak_memory = 0;        ///< bytes of its last attempt's largest process; 0: not known
  std::string warning;                  ///< of what it left, something could not be read
  std::string directory;                ///< of its last attempt; empty when there was none
  std::optional<QueuedInstance> queue;  ///< of a run on a cluster
  std::string made_again;               ///< why: what it had committed is lost; empty when nothing was
  bool lost = false;  ///< it has started, left no end record, and the cluster does not know it any more
};

struct StageStatus {
  std::string name;
  TaskKind kind = TaskKind::command;
  std::uint32_t instances = 0;
  std::string decided_by{};              ///< "decided by split": how many there are is not known yet
  State undecided = State::waiting;      ///< then: waiting, blocked or skipped
  std::map<State, std::uint32_t> count;  ///< states that occur
  std::uint32_t cached = 0;
  std::uint32_t interrupted = 0;
  std::uint64_t warnings = 0;             ///< instances that have one
  std::uint32_t queued = 0;               ///< waiting in a cluster's queue
  std::string queue_reason{};             ///< of one of those
  std::chrono::duration<double> took{0};  ///< from its first start to its last end
  Json metrics = Json::object();          ///< of its only instance, or of the reduce of a tune stage
  std::string progress{};                 ///< of its only instance, while that trains
  [[nodiscard]] std::uint32_t of(State state) const;
  /// One word: done, cached, failed, running, queued, interrupted, skipped, blocked or waiting.
  [[nodiscard]] std::string word() const;
};

struct RunStatus {
  std::string name, directory, workflow_file;
  /// preparing (no plan yet), created (nothing has started), queued (on a cluster), running, done, failed,
  /// interrupted, cancelled, or dead (its conductor is gone without a word).
  std::string state;
  std::string started_at, ended_at;
  std::chrono::duration<double> took{0};
  ProcessIdentity conductor;
  std::string scheduler;       ///< "slurm", or empty
  std::string note;            ///< what is not known, and why; or what keeps it from going on
  Json code = Json::object();  ///< of a snapshot: {"copy", "commit", "dirty", "digest"}; else {}
  std::vector<std::string>
      other_inputs;             ///< declared files that instances found other than the run knew them
  bool waits_for_held = false;  ///< nothing happens until somebody releases jobs that are held
  std::vector<StageStatus> stages;
  /// Those of which there is something to tell: all but the waiting ones, unless everything was asked for.
  std::vector<InstanceStatus> instances;
  [[nodiscard]] const StageStatus* stage(const std::string& name) const;
};

struct StatusOptions {
  bool alive = false;       ///< a conductor is at work
  std::string now = {};     ///< ISO 8601, UTC: the end of what goes on still
  bool everything = false;  ///< waiting instances too
  /// Instances of stages of more than this that finished or wait are counted, not described.
  std::uint32_t large_stage = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t first_of_large = 0;  ///< so many of those that finished are described all the same
  bool reasons_only = false;         ///< of instances no values, metrics, artifacts and times
  /// Of a run on a cluster that answers: the job of an instance, if one may still run.
  std::function<std::optional<QueuedInstance>(InstanceId)> queue = {};
  /// Gets the instances of which there is something to tell, in place of RunStatus::instances: what they need
  /// does not grow with their number. The status has the stages up to that of the instance.
  std::function<void(const RunStatus&, InstanceStatus)> tell = {};
};

/// What the plan and the journal say together. `plain`: those that have committed beside those of the record.
/// Of stages of more than `large_stage` instances their counts do.
RunStatus run_status(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                     const StatusOptions& options, const PlainCommits* plain = nullptr);

/// "/runs/a/code (commit 1a2b3c4d5e6f with changes)"; empty without a snapshot.
std::string text_of_code(const Json& code);

/// schema_version 1.
Json to_json(const RunStatus& status);
Json to_json(const InstanceStatus& instance);

}  // namespace kernmill
