#include <algorithm>
#include <charconv>
#include <ctime>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "kernmill/scheduler/cluster.hpp"
#include "kernmill/slurm/library/libslurm.hpp"
#include "kernmill/slurm/library/request_names.hpp"
#include "kernmill/slurm/options/options.hpp"
#include "kernmill/slurm/settle/job_environment.hpp"

namespace kernmill::slurm {
namespace {

[[noreturn]] void reject(const std::string& what, const std::vector<std::string>& problems) {
  throw ClusterError(ClusterError::Kind::rejected,
                     fmt::format("cannot {}: {}", what, fmt::join(problems, "; ")));
}

JobRequest request_of(const BatchJob::Options& options, const std::string& what) {
  ParsedOptions parsed = parse_options(options, std::time(nullptr));
  if (!parsed.problems.empty()) reject(what, parsed.problems);
  return std::move(parsed.request);
}

Submission submission_of(const BatchJob& job) {
  Submission submission{
      .request = request_of(job.options, "submit the job"), .script = job.script, .env = {}};
  settle(submission.request, dialect());
  for (const auto& [name, value] : job.env) submission.env.push_back(fmt::format("{}={}", name, value));
  for (const auto& [name, value] : job_environment(submission.request, dialect(), this_submitter())) {
    const auto is_it = [&name = name](const auto& given) { return given.first == name; };
    if (std::none_of(job.env.begin(), job.env.end(), is_it))
      submission.env.push_back(fmt::format("{}={}", name, value));
  }
  return submission;
}

/// "12_3" is the number 12 and the element 3; without one, the element is negative.
struct JobId {
  std::uint32_t number = 0;
  std::int64_t element = -1;
};

JobId parse_id(const std::string& text) {
  JobId id;
  const char* const end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, id.number);
  if (error == std::errc() && at != end && *at == '_') {
    const auto rest = std::from_chars(at + 1, end, id.element);
    at = rest.ptr, error = rest.ec;
  }
  if (error != std::errc() || at != end) {
    throw ClusterError(ClusterError::Kind::unknown_job,
                       fmt::format("\"{}\" is not the number of a job, such as 123 or 123_7", text));
  }
  return id;
}

/// Whether "0-76,78" holds the element.
bool holds(const std::string& elements, std::int64_t element) {
  const char* at = elements.data();
  const char* const end = at + elements.size();
  while (at < end) {
    std::int64_t first = -1, step = 1;
    at = std::from_chars(at, end, first).ptr;
    std::int64_t last = first;
    if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    if (at < end && *at == ':') at = std::from_chars(at + 1, end, step).ptr;
    if (element >= first && element <= last && (element - first) % std::max<std::int64_t>(step, 1) == 0)
      return true;
    ++at;
  }
  return false;
}

class SlurmCluster final : public Cluster {
 public:
  SlurmCluster() { initialise(); }

  [[nodiscard]] std::string description() const override { return "Slurm " + built_for(); }

  [[nodiscard]] std::vector<std::string> check(const BatchJob& job) const override {
    std::vector<std::string> problems = parse_options(job.options, std::time(nullptr)).problems;
    if (!job.script.starts_with("#!")) problems.emplace_back("the script does not begin with #!");
    return problems;
  }

  std::string submit(const BatchJob& job) override { return submit_job(submission_of(job)); }
  void release(const std::string& job) override { release_job(job); }
  void cancel(const std::string& job) override { kill_job(job); }
  void signal(const std::string& job, int signal) override { signal_steps(job, signal); }
  void requeue(const std::string& job) override { requeue_job(job); }

  void change(const std::string& job, const BatchJob::Options& options) override {
    const std::string what = fmt::format("change job {}", job);
    for (const auto& [name, value] : options) {
      constexpr std::string_view changeable[] = {"mem", "mem-per-cpu", "time", "exclude", "begin", "nice"};
      if (std::find(std::begin(changeable), std::end(changeable), name) == std::end(changeable)) {
        reject(what, {fmt::format("--{} stays as it was submitted; what can change is {}", name,
                                  fmt::join(changeable, ", "))});
      }
    }
    update_job(job, request_of(options, what));
  }

  std::vector<ClusterJob> jobs() override { return load_jobs_of_this_user(); }

  std::vector<ClusterJob> job(const std::string& id) override {
    const JobId wanted = parse_id(id);
    std::vector<ClusterJob> jobs = load_job(wanted.number);
    if (wanted.element < 0) return jobs;
    std::erase_if(jobs, [&](const ClusterJob& job) { return !holds(job.elements, wanted.element); });
    for (ClusterJob& job : jobs) job.elements = std::to_string(wanted.element);
    return jobs;
  }

  ClusterFacts facts() override {
    ClusterFacts facts;
    load_configuration(facts);
    load_partitions(facts);
    load_nodes(facts);
    load_reservations(facts);
    load_licenses(facts);
    return facts;
  }

  std::optional<std::chrono::system_clock::time_point> expected_start(const BatchJob& job) override {
    Submission submission = submission_of(job);
    submission.request.hold = false;
    submission.request.dependency.clear();
    return estimate_start(submission);
  }

  std::map<std::string, std::uint64_t> request_counts() override {
    const RequestCounts counts = load_request_counts();
    std::map<std::string, std::uint64_t> named;
    for (const auto& [type, count] : counts.by_type) named[request_name(type)] += count;
    const auto mine = counts.by_user.find(::getuid());
    named["all of this user"] = mine == counts.by_user.end() ? 0 : mine->second;
    return named;
  }
};

Cluster* open_cluster() {
  return new SlurmCluster;
}

}  // namespace
}  // namespace kernmill::slurm

extern "C" __attribute__((visibility("default"))) const kernmill::ClusterPlugin* kernmill_cluster_plugin() {
  static const std::string built_for = "Slurm " + kernmill::slurm::built_for();
  static const kernmill::ClusterPlugin plugin{kernmill::Cluster::interface_version, built_for.c_str(),
                                              kernmill::slurm::open_cluster};
  return &plugin;
}
