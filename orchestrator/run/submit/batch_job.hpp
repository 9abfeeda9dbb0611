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

/// A small job that goes on with a run when a stage has committed that decides instances of others (ADR
/// 0017).
struct GrowthJob {
  std::string stage;
  std::vector<std::string> waits;       ///< keys of the arrays that carry it out
  std::vector<std::string> after_jobs;  ///< jobs of an earlier generation that do
};

/// What all jobs of one generation have in common.
struct SubmissionContext {
  RunDirectory run;
  unsigned generation = 1;
  std::filesystem::path exec;                            ///< kernmill-exec
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment of the jobs
  bool no_cache = false;
  /// What the jobs of a stage get besides, of the environment of who submits them. Empty: nothing.
  std::function<std::vector<std::pair<std::string, std::string>>(const Stage&)> handed_over = {};
  std::vector<GrowthJob> growth{};
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
/// A job of one core for a few minutes that kernmill-exec does something for the run in.
BatchJob small_job(const SubmissionContext& context, const Plan& plan, const std::string& what,
                   const std::string& name, const std::string& key, const std::string& arguments);
/// The job that settles what is left once all others have ended.
BatchJob closing_job(const SubmissionContext& context, const Plan& plan,
                     const std::vector<std::string>& jobs);

/// Held, so that it does not begin before its generation is accepted.
BatchJob growth_job(const SubmissionContext& context, const Plan& plan, const GrowthJob& growth,
                    const std::map<std::string, std::string>& job_of);

/// The growth jobs that a plan needs beside these arrays: one for each stage that decides others and is on
/// its way. `live_jobs`: as in JobPlanOptions.
std::vector<GrowthJob> growth_jobs(
    const Plan& plan, const std::vector<ArrayPlan>& arrays,
    const std::function<std::vector<std::string>(std::uint32_t stage)>& live_jobs = {});

/// In a growth job, the names of the variables that jobs get: {"jobs": [...], "stages": {"fit": [...]}}.
inline constexpr const char* growth_variable = "KERNMILL_GROWTH_ENV";

/// Gives a job all that jobs of this run get, so that it can hand it on, and says which is whose.
void hand_on_environment(BatchJob& job, const SubmissionContext& context, const Plan& plan);

/// A job as a file for sbatch: its options as #SBATCH lines, its environment as exports.
std::string to_script(const BatchJob& job);

}  // namespace kernmill
