#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// What all jobs of one generation have in common.
struct SubmissionContext {
  RunDirectory run;
  unsigned generation = 1;
  std::filesystem::path exec;                            ///< kernmill-exec
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment of the jobs
  bool no_cache = false;
  /// What the jobs of a stage get besides, of the environment of who submits them. Empty: nothing.
  std::function<std::vector<std::pair<std::string, std::string>>(const Stage&)> handed_over = {};
  std::vector<std::string> live_jobs{};  ///< of earlier generations: the closing job waits for them, too
};

/// "kernmill:<run>:": what the comment of each job of a run begins with.
std::string comment_prefix(const std::string& run);
/// "kernmill:<run>:<generation>": the token of a generation.
std::string generation_token(const std::string& run, unsigned generation);
/// The comment of an array's jobs: its generation's token, a colon and its key.
std::string array_comment(const std::string& run, unsigned generation, const std::string& key);

/// What a job's comment says of it.
struct JobIdentity {
  std::string run;
  unsigned generation = 0;
  std::string key;  ///< of its array; "close" for the closing job
};
/// {} when the comment is none of ours.
std::optional<JobIdentity> identity_in(const std::string& comment);

/// An array as the cluster takes it. `job_of` has the ids of the arrays that it waits for, by key. Arrays
/// that wait for none are held.
BatchJob batch_job(const SubmissionContext& context, const Plan& plan, const ArrayPlan& array,
                   const std::map<std::string, std::string>& job_of);
/// The job that settles what is left once all others have ended.
BatchJob closing_job(const SubmissionContext& context, const Plan& plan,
                     const std::vector<std::string>& jobs);

/// A job as a file for sbatch: its options as #SBATCH lines, its environment as exports.
std::string to_script(const BatchJob& job);

}  // namespace kernmill
