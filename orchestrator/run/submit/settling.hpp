#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernmill/run/submit/submission.hpp"

namespace kernmill {

/// Settles what earlier submissions left in the queue: jobs of one that is not in force (not accepted whole,
/// rolled back, or unknown) are cancelled, those of one that is are released where they are held, whoever
/// holds them. `jobs` is what the cluster knows of this user's jobs; what was cancelled is taken out of it,
/// and what was released is held no longer. One that had ended halfway is looked for once more after a while,
/// before it is journalled as rolled back. Returns one line for each thing done, or that could not be.
std::vector<std::string> settle_submissions(const RunDirectory& run, const RunRecord& record,
                                            Cluster& cluster, std::vector<ClusterJob>& jobs,
                                            JournalWriter& journal, const SubmissionOptions& options);

/// Whether the job has been cancelled or has failed, and its last processes are ending: it carries out
/// nothing any more.
bool is_ending(const ClusterJob& job);

/// Those of the jobs that belong to the run and may still run, with what their comments say.
std::vector<std::pair<JobIdentity, ClusterJob>> live_jobs(const RunDirectory& run,
                                                          const std::vector<ClusterJob>& jobs);

}  // namespace kernmill
