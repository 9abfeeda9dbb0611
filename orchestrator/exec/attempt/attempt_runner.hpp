#pragma once
#include <functional>
#include <optional>

#include "kernmill/exec/attempt/attempt_journal.hpp"
#include "kernmill/exec/job/batch_place.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/exec/job/own_job.hpp"
#include "kernmill/os/stop_requests.hpp"
#include "kernmill/run/cache/recipe.hpp"

namespace kernmill::exec {

/// The job of a batch system that an attempt is made in.
struct InBatch {
  BatchPlace place;
  OwnJob& job;
  RetryBudget launch;                      ///< how long a launch is tried again while the controller is away
  std::function<void()> told_to_end = {};  ///< called at once when the batch system ends the job
};

/// Carries out attempts on this machine, or, in a job of a batch system, on the nodes of that job.
class AttemptRunner {
 public:
  struct Given {
    Environment environment;    ///< of this process
    std::string launcher = {};  ///< the template that the plan names; may be empty
    std::string token = {};     ///< KERNMILL_TOKEN of all processes of the attempt
    bool no_cache = false;
    double time_factor = 1.0;
    InBatch* batch = nullptr;  ///< null: no batch system
  };
  AttemptRunner(Given given, StopRequests& stop, AttemptJournal& journal)
      : given_(std::move(given)), stop_(stop), journal_(journal) {}

  /// Makes the attempt, its parents having been checked. Nothing when it was committed from the cache. Throws
  /// AttemptError and others: why it has failed.
  std::optional<AttemptOutcome> run(const Attempt& attempt);

  /// Commits what a done attempt leaves. `others` gives what the journal says of the instance now.
  void commit(const Attempt& attempt, const Leavings& leavings, const std::function<RunRecord()>& others);

 private:
  [[nodiscard]] bool uses_srun(const Attempt& attempt) const;
  [[nodiscard]] std::vector<std::string> launch(const Attempt& attempt) const;
  [[nodiscard]] std::vector<std::string> in_container(const Attempt& attempt) const;
  StepOptions step_options(const Attempt& attempt);
  void set_end(StepOptions& step, const Attempt& attempt);
  void set_program(StepOptions& step, const Attempt& attempt) const;
  void heed_batch_system(StepOptions& step, const Attempt& attempt);
  StepEnd run_program(const Attempt& attempt, const StepOptions& step);

  Given given_;
  StopRequests& stop_;
  AttemptJournal& journal_;
  std::optional<Recipe> before_;  ///< of what the attempt was to read when it began
};

}  // namespace kernmill::exec
