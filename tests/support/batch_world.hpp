#pragma once
#include <string>
#include <vector>

#include "exec_world.hpp"
#include "kernmill/plan/job_plan.hpp"

namespace kernmill::testing {

/// A run that was submitted to a batch system of files (kernmill_exec_on_fake_cluster), in which a test
/// starts the jobs. The arrays have the ids 1, 2, ... in the order of the plan.
class BatchWorld : public ExecWorld {
 public:
  explicit BatchWorld(std::vector<Stage> stages, bool fail_fast = false);

  /// Journals another act of submitting: all arrays, with attempts from `attempt` on, and ids from
  /// `first_job` on.
  void submit_again(unsigned generation, unsigned attempt, unsigned first_job);

  /// Starts a stage's job, or an element of its array, and gives its process id; `run_job` also waits for it.
  int start_job(const std::string& stage, std::uint32_t element = 0, unsigned restart = 0);
  int run_job(const std::string& stage, std::uint32_t element = 0, unsigned restart = 0);
  /// Runs the job that closes the run.
  int close();

  /// Every record of a job's file, by event; the last of that name.
  [[nodiscard]] std::vector<std::string> events(const std::string& stage, std::uint32_t element = 0,
                                                unsigned restart = 0) const;
  [[nodiscard]] Json body(const std::string& event, const std::string& stage, std::uint32_t element = 0,
                          unsigned restart = 0) const;
  /// What the batch system was asked to do.
  [[nodiscard]] std::vector<std::string> calls() const;
  /// Sets what the batch system says: "state", "limit", "down", "jobs".
  void tell(const std::string& file, const std::string& text) const;
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] std::string log() const;

  std::vector<std::pair<std::string, std::string>> environment;  ///< of the jobs, beside what Slurm sets
  std::vector<std::string> before;  ///< words in front of kernmill-exec's, such as strace's
  unsigned generation = 1;

 private:
  [[nodiscard]] const ArrayPlan& array(const std::string& stage) const;
  [[nodiscard]] std::string job(const std::string& stage) const;
  [[nodiscard]] std::vector<Record> records(const std::string& stage, std::uint32_t element,
                                            unsigned restart) const;
  int spawn_exec(const std::vector<std::string>& arguments,
                 const std::vector<std::pair<std::string, std::string>>& variables);

  Plan plan_;
  std::vector<ArrayPlan> arrays_;
  unsigned first_job_ = 1;
  std::filesystem::path cluster_;
};

/// The stage with a matrix of one axis, `x`, with values 0, 1, ...
Stage over(Stage stage, int values);

}  // namespace kernmill::testing
