#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/plan/packing.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"
#include "kernmill/plan/retry_policy.hpp"
#include "kernmill/run/cache/temporary.hpp"
#include "kernmill/run/conductor/conductor_output.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/commit_table.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/handover.hpp"
#include "kernmill/run/journal/job_outcome.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/scheduler.hpp"

namespace kernmill {

/// What an attempt may use, where that differs from what the plan says: a retry after `oom` or `timeout`.
struct AttemptScale {
  double mem = 1.0;
  double time = 1.0;
};

/// An attempt that is to be made, by the job of that name.
struct AttemptOrder {
  InstanceId id;
  unsigned attempt = 1;
  JobId job;
  AttemptScale scale;
  std::string known;  ///< what it has to know of the journal (handover.hpp)
};

/// Instances of a stage that one job is to carry out, some of them side by side.
struct PackOrder {
  std::uint32_t stage = 0;
  JobId job;
  HandedPack pack;
  std::string known;  ///< what they have to know of the journal
};

/// What the cache said of an attempt.
struct CacheAnswer {
  /// A hit: the artifacts lie in the attempt's directory, and this is what its `committed` record says.
  std::optional<CommittedResult> committed = {};
  /// A hit: to be called once that record is durable, and not before.
  std::function<void()> after_commit = {};
  std::string why_not = {};  ///< a miss: why it has to run, for `explain`
};

/// All that a conductor learns from outside its own logic. Every member but the optional ones must be set.
struct ConductorPorts {
  std::function<std::chrono::steady_clock::time_point()> now;
  /// What the job of an attempt has journalled; {} when it has not begun. Of a pack's: what is new since it
  /// was asked for last.
  std::function<std::vector<Record>(const JobId&)> job_records;
  /// The cores and the memory that an attempt of the instance takes, and nothing else of its job.
  std::function<JobSpec(InstanceId, const AttemptScale&)> job_size;
  /// The job that carries out an attempt. Its place in the run directory exists afterwards.
  std::function<JobSpec(const AttemptOrder&)> job_spec;
  /// How the instances of a stage are packed; empty: none is.
  std::function<Packing(std::uint32_t stage)> packing;
  std::function<JobSpec(const PackOrder&)> pack_spec;
  /// What the job journalled has been read, and is to be kept in fewer files. May be empty.
  std::function<void(const JobId&)> put_away;
  /// Looks in earlier runs for what this attempt would make. May be empty: nothing is looked for.
  std::function<CacheAnswer(InstanceId, unsigned attempt, const CommitTable&)> from_cache;
  /// Something that changes whenever an instance leaves a new checkpoint.
  std::function<std::string(InstanceId)> checkpoint_mark;
  /// Removes an artifact that nobody needs any more. May be empty: all stay.
  std::function<void(const Artifact&)> remove_artifact = {};
  /// Ends whatever is left of an attempt whose job has gone without an end record.
  std::function<void(InstanceId, unsigned attempt)> end_leftovers;
  /// Lets the plan that the conductor was given grow by what has been committed, durably. Returns the stages
  /// that are decided now. May be empty: all are from the beginning.
  std::function<std::vector<std::uint32_t>(const CommitTable&)> grow = {};
  int stop_fd = -1;                               ///< readable when `next_stop` has something; -1: never
  std::function<std::optional<int>()> next_stop;  ///< the next signal that has come; may be empty
};

struct ConductorOptions {
  bool fail_fast = false;
  std::string session;  ///< six hex digits that make job ids of this conductor its own
};

/// Carries out a plan: starts what may start and has room, journals what it decides, reads what jobs
/// journalled, and tells `Output`. One thread, no polling, but that of a pack the journal is looked at five
/// times a second.
class Conductor {
 public:
  Conductor(const RunDirectory& run, const Plan& plan, Scheduler& scheduler, JournalWriter& journal,
            Output& output, ConductorPorts ports, ConductorOptions options);

  /// What an earlier life of the run left: committed and skipped instances stay so; attempts are numbered on.
  void restore(const RunRecord& record);
  /// Until nothing is left to do or it is told to stop. Journals run_started and run_finished.
  /// Exceptions (a full disk, a program that is missing) end the running jobs first and leave the run for
  /// `resume`.
  RunResult run(const ProcessIdentity& self);

  [[nodiscard]] const Progress& progress() const { return progress_; }

 private:
  struct Attempt {
    InstanceId id;
    unsigned number = 1;
    std::chrono::steady_clock::time_point started;
    std::string checkpoint_mark;
    bool has_begun = false;  ///< of a packed one: it has been started
  };
  struct Tries {
    unsigned attempts = 0;  ///< ever, over all lives of the run
    int failures = 0;       ///< in this life
    unsigned started = 0;   ///< the newest that has begun; 0: none has
    std::string again;      ///< why there is another attempt; empty for the first
    AttemptScale scale;
  };

  struct Pack {
    std::uint32_t stage = 0;
    InstanceId first;
    unsigned first_attempt = 1;
    std::map<std::uint32_t, Attempt> open;  ///< its instances that have not ended, by index
    bool has_begun = false;
  };

  void loop();
  [[nodiscard]] bool is_idle() const { return running_.empty() && packs_.empty(); }
  void start_what_fits();
  /// False when there is no room for it.
  bool start(InstanceId id);
  /// A pack of it and others of its stage. False when there is no room for one.
  bool start_pack(InstanceId id, const Packing& packing);
  /// The next of the stage that may start; none is left, or may now.
  std::optional<InstanceId> next_to_pack(std::uint32_t stage);
  [[nodiscard]] PackedInstance packed(InstanceId id);
  void read_packs();
  void read_pack(const JobId& job, Pack& pack);
  void hear_of_packed(Pack& pack, const Record& record);
  void pack_ended(const JobEnd& end);
  /// Why an attempt is made, for the `submitted` record.
  [[nodiscard]] std::string why_it_runs(InstanceId id);
  void submit(InstanceId id, unsigned attempt, const JobId& job, const JobSpec& spec);
  bool take_from_cache(InstanceId id);
  void grow();
  /// True, and the instance has failed, where it stands for a list that could not be used.
  bool fails_for_its_list(InstanceId id);
  void settle_gates(std::uint32_t stage);
  void settle_gate(InstanceId id);
  void settle_gates_behind(InstanceId parent);
  /// Fails the instance when its `when` cannot be computed. True when it may go on.
  bool passes_gate(InstanceId id);

  void job_ended(const JobEnd& end);
  void settle(const Attempt& attempt, const JobOutcome& outcome, const JobEnd& end);
  void committed(const Attempt& attempt, const CommittedResult& result);
  void skip(InstanceId id, const std::string& why);
  [[nodiscard]] Settled settled() const;
  void remove_temporary(InstanceId id);
  void remove_temporary_behind(InstanceId settled);
  void remove_temporary_at_end();
  void tell(InstanceEvent::What what, const Attempt& attempt, const JobOutcome& outcome);
  void stopped(const Attempt& attempt, const JobOutcome& outcome);
  void failed(const Attempt& attempt, const JobOutcome& outcome);
  void vanished(const Attempt& attempt, const JobEnd& end);
  [[nodiscard]] std::string last_words(const Attempt& attempt) const;
  /// What follows an attempt that nobody asked to stop; the instance's tries are counted on.
  Retry what_follows(const Attempt& attempt, const JobOutcome& outcome);

  void take_stop_requests();
  void end_all_jobs();
  [[nodiscard]] std::size_t running_instances() const;
  [[nodiscard]] RunOutcome run_outcome() const;
  [[nodiscard]] events::Subject subject(InstanceId id, unsigned attempt) const;
  [[nodiscard]] InstanceEvent event(InstanceEvent::What what, const Attempt& attempt) const;
  Tries& tries(InstanceId id) { return tries_[id]; }

  const RunDirectory& run_;
  const Plan& plan_;
  Scheduler& scheduler_;
  JournalWriter& journal_;
  Output& output_;
  ConductorPorts ports_;
  ConductorOptions options_;
  Progress progress_;
  CommitTable commits_;
  TemporaryArtifacts temporary_;
  /// By stage: the stages with a `when` that wait for it.
  std::vector<std::vector<std::pair<std::uint32_t, EdgeKind>>> gated_children_;
  std::map<JobId, Attempt> running_;
  std::map<JobId, Pack> packs_;
  std::vector<Packing> packing_;  ///< by stage
  unsigned packs_made_ = 0;
  std::map<InstanceId, Tries> tries_;
  std::map<InstanceId, std::string> not_in_cache_;  ///< looked up already, waiting for room; why it runs
  bool resumed_ = false;
  unsigned life_ = 1;         ///< of the run
  JobId looked_for_room_at_;  ///< the job that vanished last
  std::string no_room_;       ///< why nothing could be written then; empty: it could
  int stop_requests_ = 0;
  bool cancelled_ = false;
};

}  // namespace kernmill
