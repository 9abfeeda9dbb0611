#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/slurm/options/job_request.hpp"
#include "kernmill/slurm/settle/settle.hpp"

/// libslurm without its types. All functions throw ClusterError, and all but the first three ask the
/// controller once.
namespace kernmill::slurm {

/// The release that this was compiled with: "22.05.8".
std::string built_for();
Dialect dialect();
/// Reads Slurm's configuration, once in a process.
void initialise();

/// A job that is ready to be sent: its request is settled.
struct Submission {
  JobRequest request;
  std::string script;
  std::vector<std::string> env;  ///< "NAME=value"
};

std::string submit_job(const Submission& submission);
std::optional<std::chrono::system_clock::time_point> estimate_start(const Submission& submission);
/// Sends what of the request is set: mem, mem_per_cpu, time, exclude, begin, nice.
void update_job(const std::string& job, const JobRequest& request);
void release_job(const std::string& job);
void kill_job(const std::string& job);
void signal_steps(const std::string& job, int signal);
void requeue_job(const std::string& job);

std::vector<ClusterJob> load_jobs_of_this_user();
/// Every record of the job or array with that number; {} when there is none.
std::vector<ClusterJob> load_job(std::uint32_t number);

/// Each of these adds its part to the facts; the first also asks the accounting database, where there is one.
void load_configuration(ClusterFacts& facts);
void load_partitions(ClusterFacts& facts);
void load_nodes(ClusterFacts& facts);
void load_reservations(ClusterFacts& facts);
void load_licenses(ClusterFacts& facts);

/// Requests by their number, of all users, and all requests by the user's number.
struct RequestCounts {
  std::map<std::uint32_t, std::uint64_t> by_type, by_user;
};
RequestCounts load_request_counts();

}  // namespace kernmill::slurm
