#pragma once
#include <string>
#include <vector>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "slurm_world.hpp"

namespace kernmill::testing {

/// A cluster, a workflow and the programs of this build: what a user on a login node has.
class SubmitWorld {
 public:
  explicit SubmitWorld(const SlurmWorld::Options& options = {});

  /// Writes the workflow, `name: flow`.
  void workflow(const std::string& stages) const;
  /// Runs `kernmill` beside the workflow.
  [[nodiscard]] Finished kernmill(
      const std::vector<std::string>& words,
      const std::vector<std::pair<std::string, std::string>>& environment = {}) const;
  /// Submits the workflow and expects that to work. Returns the run.
  RunDirectory submit(const std::vector<std::string>& options = {});
  /// The newest run.
  [[nodiscard]] RunDirectory run() const;
  /// Waits until the closing job has written the end. Returns what it says: "done", "failed", ...
  std::string outcome(std::chrono::seconds timeout = std::chrono::seconds{120}) const;
  /// Waits until the journal says that an instance has started so many attempts.
  void wait_for_start(const std::string& stage, unsigned index = 0, std::size_t attempts = 1) const;
  void wait_for_file(const std::string& name) const;
  [[nodiscard]] RunRecord record() const;
  [[nodiscard]] bool committed(const std::string& stage, unsigned index = 0) const;
  /// The state of an instance, as `kernmill status --json` says it.
  [[nodiscard]] std::string state(const std::string& label) const;
  /// Id of the job of a stage.
  [[nodiscard]] std::string job_of(const std::string& stage) const;
  /// What squeue shows of this user; "" when nothing is left.
  [[nodiscard]] std::string queue() const;
  /// The lines of a file beside the workflow; {} when there is none.
  [[nodiscard]] std::vector<std::string> lines(const std::string& file) const;
  [[nodiscard]] std::filesystem::path path() const { return slurm_.path(); }
  SlurmWorld& slurm() { return slurm_; }

 private:
  SlurmWorld slurm_;
};

}  // namespace kernmill::testing
