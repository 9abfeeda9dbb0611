#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// What a cluster says of an instance whose job has not ended.
struct QueuedInstance {
  bool running = false;
  std::string job;     ///< "12", "12_3"; "12_4-9" for elements that wait together
  std::string reason;  ///< why it waits: "Resources", "Dependency", ...
};

/// What a cluster knows of a run's jobs that may still run, by stage and instance.
class ClusterView {
 public:
  /// `jobs`: of this user, as the cluster lists them.
  ClusterView(const RunDirectory& run, const Plan& plan, const RunRecord& record,
              const std::vector<ClusterJob>& jobs);

  /// The job that carries out an instance, or will; {} when there is none.
  [[nodiscard]] std::optional<QueuedInstance> find(InstanceId id) const;
  /// Whether that job carries it out no more: it was cancelled or has failed, and its last processes are
  /// ending.
  [[nodiscard]] bool is_ending(InstanceId id) const;
  /// The jobs of a stage that are ending like that, as they are named to wait for them: "12_3".
  [[nodiscard]] std::vector<std::string> ending_jobs_of(std::uint32_t stage) const;
  /// Ids of the jobs that carry out instances of a stage.
  [[nodiscard]] std::vector<std::string> jobs_of(std::uint32_t stage) const;
  /// Ids of all of the run's jobs, the closing job of a generation among them.
  [[nodiscard]] const std::vector<std::string>& jobs() const { return jobs_; }
  [[nodiscard]] std::vector<std::string> closing_jobs() const;
  /// Growth jobs, by the stage that they wait for.
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& growth_jobs() const {
    return growth_;
  }
  /// Of the closing jobs those that a newer generation has one beside.
  [[nodiscard]] std::vector<std::string> superseded_closing_jobs() const;
  [[nodiscard]] bool any() const { return !jobs_.empty(); }
  [[nodiscard]] bool any_running() const;
  /// Jobs that somebody holds, and the reason that the cluster gives: "12_3" -> "JobHeldUser".
  [[nodiscard]] const std::map<std::string, std::string>& held() const { return held_; }
  /// Whether nothing will happen until somebody releases what is held.
  [[nodiscard]] bool only_waits_for_held() const;

 private:
  struct Part {
    std::uint32_t stage = 0;
    IndexRanges instances;
    QueuedInstance queued;
    std::string job;
    bool ending = false;
  };
  std::vector<Part> parts_;
  std::vector<std::string> jobs_;
  std::vector<std::pair<unsigned, std::string>> closing_;  ///< by generation
  std::vector<std::pair<std::string, std::string>> growth_;
  std::map<std::string, std::string> held_;
};

}  // namespace kernmill
