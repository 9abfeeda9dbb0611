#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace kernmill {

/// A job as a batch system takes it: a script, its environment, and long options of sbatch without the
/// dashes. An option without a value (`hold`, `exclusive`) has an empty one. `--dry-run` prints the same
/// list.
struct BatchJob {
  using Options = std::vector<std::pair<std::string, std::string>>;
  std::string script;                                    ///< its text, from #! on
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment: nothing is inherited
  Options options;  ///< {"job-name","iris.fit"}, {"array","0-9%2"}, {"dependency","afterok:12"}, ...
};

/// Why a batch system did not do what it was asked to do. `what()` says what, why and the way out.
struct ClusterError : std::runtime_error {
  enum class Kind {
    unavailable,  ///< no answer: the request may or may not have been carried out
    busy,         ///< a limit that passes (too many jobs or requests): the same request may succeed later
    rejected,     ///< it will never be accepted as it is
    unknown_job,  ///< there is no such job (any more)
  };
  ClusterError(Kind kind_, const std::string& message) : std::runtime_error(message), kind(kind_) {}
  Kind kind;
};

enum class JobState {
  pending,
  running,
  suspended,
  completing,  ///< its processes are being ended; what comes next is not known yet
  completed,
  failed,
  cancelled,
  timeout,
  node_fail,
  preempted,
  out_of_memory,
};
std::string_view to_string(JobState state);
/// Whether such a job may still run, or run again.
bool is_live(JobState state);

/// What a batch system knows of a job, of one element of an array, or of the elements that have not started.
struct ClusterJob {
  std::string id;        ///< "123": of the job, or of the array as a whole
  std::string elements;  ///< "" for a plain job, "7" for one element, "0-76,78-99" for those still pending
  std::string name;
  std::string comment;
  JobState state = JobState::pending;
  /// Of a completing job: what it is on its way to. Pending: back to the queue. Else as `state`.
  JobState next_state = JobState::pending;
  std::string reason;  ///< why it waits, or why it ended: "Resources", "DependencyNeverSatisfied", ...
  bool held = false;
  int exit_code = 0;  ///< 128 + signal when a signal ended it
  unsigned restarts = 0;
  std::string nodes;
  std::string dependency;  ///< what of it is not fulfilled yet
  std::int64_t submitted = 0, start = 0,
               end = 0;    ///< seconds since 1970; 0: not known. A start may lie ahead.
  std::int64_t limit = 0;  ///< when its time limit ends a running job, in seconds since 1970; 0: not known
};

/// What a cluster offers, as far as one may ask before submitting. Numbers are 0 where they are not known.
struct ClusterFacts {
  struct Partition {
    std::string name;
    bool is_default = false, is_up = true;
    std::chrono::seconds max_time{0}, default_time{0};  ///< 0: no limit
    std::uint32_t max_nodes = 0, min_nodes = 0;
    std::vector<std::string> nodes;                          ///< names
    std::vector<std::string> allowed_accounts, allowed_qos;  ///< empty: all
  };
  struct Node {
    std::string name;
    std::uint32_t cpus = 0;
    std::uint64_t mem = 0;  ///< bytes
    std::vector<std::string> features;
    std::string gres;      ///< "gpu:a100:4(S:0-1)"
    bool is_down = false;  ///< down, drained or not answering
  };
  std::string name;                  ///< of the cluster
  std::string version;               ///< of its batch system: "22.05.8"
  std::uint32_t max_array_size = 0;  ///< indices are below it
  std::uint32_t max_jobs = 0;        ///< that the controller keeps, an element of an array being one
  std::vector<Partition> partitions;
  std::vector<Node> nodes;
  std::vector<std::string> reservations;
  std::map<std::string, std::uint32_t> licenses;  ///< name -> total
  /// Of this user; nothing where no accounting database answers.
  std::optional<std::vector<std::string>> accounts, qos;
  std::map<std::string, std::uint32_t> submit_limits;  ///< by association or QOS: jobs at most
};

/// A batch system, through its plug-in. Not thread-safe. Every call but `check` asks the controller once.
class Cluster {
 public:
  static constexpr unsigned interface_version = 1;
  virtual ~Cluster() = default;

  [[nodiscard]] virtual std::string description() const = 0;  ///< "Slurm 22.05.8"
  /// What is wrong with the options of a job, without asking anybody: one line each, {} when nothing is.
  [[nodiscard]] virtual std::vector<std::string> check(const BatchJob& job) const = 0;
  /// Submits a job or a job array. Returns its id.
  virtual std::string submit(const BatchJob& job) = 0;
  /// Releases a job that was submitted with `hold`, all elements of an array at once.
  virtual void release(const std::string& job) = 0;
  /// Ends a job, an array, or elements of one ("12", "12_3", "12_[3-5,9]"). What has ended already is no
  /// error.
  virtual void cancel(const std::string& job) = 0;
  /// Sends a signal to every rank of the job's steps, on all nodes; not to the batch script.
  virtual void signal(const std::string& job, int signal) = 0;
  /// Puts a running job or element back into the queue, under its id.
  virtual void requeue(const std::string& job) = 0;
  /// Changes options of a job that is pending or on its way back to the queue: mem, mem-per-cpu, time,
  /// exclude, begin, nice.
  virtual void change(const std::string& job, const BatchJob::Options& options) = 0;
  /// All jobs of this user that the batch system remembers, in one request.
  virtual std::vector<ClusterJob> jobs() = 0;
  /// One job, element ("12_3") or array; {} when it is not known (any more).
  virtual std::vector<ClusterJob> job(const std::string& id) = 0;
  virtual ClusterFacts facts() = 0;
  /// When the job would start if it were submitted now, without its dependencies: an estimate.
  virtual std::optional<std::chrono::system_clock::time_point> expected_start(const BatchJob& job) = 0;
  /// Requests of this user that the controller has counted, by type: to see what a command costs.
  virtual std::map<std::string, std::uint64_t> request_counts() = 0;
};

/// What kernmill_slurm.so exports as `kernmill_cluster_plugin` (extern "C", no argument, a pointer to this).
struct ClusterPlugin {
  unsigned interface_version;  ///< first: read before anything else is believed
  const char* built_for;       ///< "Slurm 22.05.8"
  /// Throws ClusterError. The caller owns the result.
  Cluster* (*open)();
};

}  // namespace kernmill
