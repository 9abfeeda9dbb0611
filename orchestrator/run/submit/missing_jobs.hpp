#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/run/bad_nodes/bad_nodes_folder.hpp"
#include "kernmill/run/conductor/conductor_lock.hpp"
#include "kernmill/run/submit/submission.hpp"

namespace kernmill {

/// How what a run still lacks is submitted, and what that needs from outside.
struct MissingJobsOptions {
  bool resumed = false;  ///< the run was submitted before: the cluster is asked for jobs of it
  bool no_cache = false;
  std::filesystem::path exec;                            ///< kernmill-exec
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment of the jobs
  /// As in SubmissionContext.
  std::function<std::vector<std::pair<std::string, std::string>>(const Stage&)> handed_over = {};
  SubmissionOptions submission;
  BadNodesContext bad_nodes = {};
  JournalWriter::Hook hook;  ///< around each record of this generation
  /// Commits what earlier runs have made already, and skips what is known to be skipped: neither needs a job.
  /// Returns what is known afterwards.
  std::function<RunRecord(const Plan&, const RunRecord&, JournalWriter&)> take_ready_results;
  /// Hears a line for each thing that had to be done about earlier submissions.
  std::function<void(const std::string&)> tell;
  /// The job that submits, where it is one of the run's: it is not ended with those that it replaces.
  std::string own_job = {};
  /// Goes on with what stages have decided, while the rest of the run goes on as it is: of them and of those
  /// that wait for them, what no generation has submitted.
  bool growing = false;
};

/// What was submitted.
struct SubmittedJobs {
  std::vector<ArrayPlan> arrays;
  Submission submission;
};

/// Submits what a run still lacks, as a new generation. Everything that is there is used first: ready
/// results, and the jobs that are in the queue already; those among them that can never run, since what they
/// wait for is made anew, are withdrawn and made anew, too; results that are gone or changed are journalled
/// as lost, attempts whose job is gone as abandoned. Nothing is returned, and nothing was submitted, when all
/// that is missing is in the queue. Is the run's conductor for as long as it takes: `lock`, or one that it
/// takes itself. What has been committed lets the plan grow first (ADR 0017). Throws RunIsLocked,
/// ClusterError, SubmissionCancelled.
std::optional<SubmittedJobs> submit_missing(const RunDirectory& run, const Plan& plan, Cluster& cluster,
                                            const ClusterFacts& facts, const MissingJobsOptions& options,
                                            std::unique_ptr<ConductorLock> lock = nullptr);

}  // namespace kernmill
