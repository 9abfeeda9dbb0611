#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernmill/base/backoff.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/submit/batch_job.hpp"

namespace kernmill {

struct SubmissionOptions {
  bool hold = false;  ///< leave the jobs held
  bool fail_fast = false;
  /// Where this is set, of what earlier submissions have left held, only that is released which generations
  /// from this one on meant to release.
  unsigned release_from = 0;
  /// How long a controller that does not answer, or has no room, is asked again.
  std::chrono::milliseconds timeout{60'000};
  /// How long a request that nobody has answered, or whose sender was killed, may be on its way still.
  std::chrono::milliseconds late_requests{2'000};
  std::function<void(std::chrono::milliseconds)> pause;  ///< waits between two tries
  /// Asked before each request: whether the run is to be cancelled, so that no more is to be sent. Empty: no.
  std::function<bool()> cancelled = {};
};

/// A submission was given up because the run is to be cancelled; nothing of it runs.
struct SubmissionCancelled : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What became of a submission.
struct Submission {
  std::map<std::string, std::string> job_of;  ///< ids by key of the array
  std::string closing_job;
};

/// Submits the jobs of one generation as one transaction: what is meant to be sent is journalled first; jobs
/// that wait for none are held until every id is durable. When the cluster rejects one of them, or does not
/// answer in time, all are cancelled again and ClusterError says why; what could not even be cancelled is
/// left to `settle_submissions`, which the message says. The same when somebody wants the run to be cancelled
/// meanwhile, with SubmissionCancelled. `journal` is the file of this generation (submission_journal).
Submission submit_jobs(const SubmissionContext& context, const Plan& plan,
                       const std::vector<ArrayPlan>& arrays, Cluster& cluster, JournalWriter& journal,
                       const SubmissionOptions& options);

/// Makes the journal file of a generation; std::system_error (EEXIST) when somebody else has made that
/// generation.
std::unique_ptr<JournalWriter> submission_journal(const RunDirectory& run, unsigned generation,
                                                  const JournalWriter::Hook& hook = {});

/// Calls the cluster again and again while it is busy or does not answer, until `timeout` is over.
class ClusterBackoff {
 public:
  explicit ClusterBackoff(const SubmissionOptions& options)
      : options_(options),
        backoff_({std::chrono::milliseconds(200), std::chrono::milliseconds(10'000), options.timeout}) {}
  /// True after a pause that grows from try to try; false when `timeout` is over.
  bool pause();

 private:
  const SubmissionOptions& options_;
  Backoff backoff_;
};

}  // namespace kernmill
