#include "kernmill/slurm/library/libslurm.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/slurm/errors/errors.hpp"
#include "kernmill/slurm/errors/probe.hpp"
#include "kernmill/slurm/library/accounting.hpp"
#include "kernmill/slurm/library/compat.hpp"
#include "kernmill/slurm/library/describe.hpp"
#include "kernmill/slurm/library/translate.hpp"

namespace kernmill::slurm {
namespace {

std::string release_of(long version) {
  return fmt::format("{}.{:02}.{}", SLURM_VERSION_MAJOR(version), SLURM_VERSION_MINOR(version),
                     SLURM_VERSION_MICRO(version));
}

[[noreturn]] void fail(const std::string& action, int code = errno) {
  throw make_error(reason_of(code), action, slurm_strerror(code), code);
}

/// A message that libslurm has allocated, freed by the function that belongs to it.
template <class Message>
using Owned = std::unique_ptr<Message, std::function<void(Message*)>>;

template <class Message, class Load>
Owned<Message> load(const std::string& action, std::function<void(Message*)> free, Load ask) {
  initialise();
  Message* message = nullptr;
  if (ask(&message) != SLURM_SUCCESS || message == nullptr) fail(action);
  return {message, std::move(free)};
}

/// What was refused of an array's elements. With `may_have_ended`, those that have are as they should be.
void check_elements(job_array_resp_msg_t* response, const std::string& action, bool may_have_ended = false) {
  const Owned<job_array_resp_msg_t> owned(response, slurm_free_job_array_resp);
  if (response == nullptr) return;
  for (std::uint32_t index = 0; index < response->job_array_count; ++index) {
    const int code = static_cast<int>(response->error_code[index]);
    if (code == SLURM_SUCCESS || (may_have_ended && reason_of(code) == Reason::already_ended)) continue;
    throw make_error(reason_of(code), fmt::format("{} (its part {})", action, response->job_array_id[index]),
                     compat::element_error(response, index), code);
  }
}

std::string name_of(const JobRequest& request) {
  return request.name.empty() ? "the job" : request.name;
}

void update(Description& description, const std::string& job, const std::string& action) {
  initialise();
  description.set(description.message.job_id_str, job);
  job_array_resp_msg_t* response = nullptr;
  if (slurm_update_job2(&description.message, &response) != SLURM_SUCCESS) fail(action);
  check_elements(response, action);
}

/// Has libslurm give the whole list of an array's elements: it cuts it off after 64 letters otherwise.
class WholeLists {
 public:
  WholeLists() { ::setenv(variable, "0", 1); }
  ~WholeLists() { ::unsetenv(variable); }  // it is no business of the processes that are started
  WholeLists(const WholeLists&) = delete;
  WholeLists& operator=(const WholeLists&) = delete;

 private:
  static constexpr const char* variable = "SLURM_BITSTR_LEN";
};

std::vector<ClusterJob> translate_all(const job_info_msg_t& message) {
  std::vector<ClusterJob> jobs;
  jobs.reserve(message.record_count);
  for (std::uint32_t index = 0; index < message.record_count; ++index) {
    jobs.push_back(translate(message.job_array[index]));
  }
  return jobs;
}

}  // namespace

std::string built_for() {
  return release_of(SLURM_VERSION_NUMBER);
}

Dialect dialect() {
  constexpr bool is_newer = SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 11, 0);
  constexpr bool is_newest = SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(24, 5, 0);
  return {.slash_tres = is_newer, .nodes_from_tasks = is_newer, .counts_per_task = is_newest};
}

void initialise() {
  static bool is_done = false;
  if (is_done) return;
  compat::show_library_to_all();
  probe([] { slurm_init(nullptr); });
  slurm_init(nullptr);
  is_done = true;
}

std::string submit_job(const Submission& submission) {
  initialise();
  const std::string action = "submit " + name_of(submission.request);
  Description description;
  describe(submission, description);
  submit_response_msg_t* response = nullptr;
  if (slurm_submit_batch_job(&description.message, &response) != SLURM_SUCCESS || response == nullptr)
    fail(action);
  const Owned<submit_response_msg_t> owned(response, slurm_free_submit_response_response_msg);
  return std::to_string(compat::job_id(*response));
}

std::optional<std::chrono::system_clock::time_point> estimate_start(const Submission& submission) {
  initialise();
  Description description;
  describe(submission, description);
  will_run_response_msg_t* response = nullptr;
  if (slurm_job_will_run2(&description.message, &response) != SLURM_SUCCESS) {
    fail(fmt::format("start {} at any time", name_of(submission.request)));
  }
  const Owned<will_run_response_msg_t> owned(response, slurm_free_will_run_response_msg);
  if (response == nullptr || response->start_time == 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(response->start_time);
}

void update_job(const std::string& job, const JobRequest& request) {
  Description description;
  describe_changes(request, description);
  update(description, job, fmt::format("change job {}", job));
}

void release_job(const std::string& job) {
  Description description;
  description.message.priority = INFINITE;
  update(description, job, fmt::format("release job {}", job));
}

void kill_job(const std::string& job) {
  initialise();
  if (slurm_kill_job2(job.c_str(), SIGKILL, 0, nullptr) == SLURM_SUCCESS) return;
  if (reason_of(errno) != Reason::already_ended) fail(fmt::format("cancel job {}", job));
}

void signal_steps(const std::string& job, int signal) {
  initialise();
  const auto number = static_cast<std::uint16_t>(signal);
  if (slurm_kill_job2(job.c_str(), number, KILL_STEPS_ONLY, nullptr) != SLURM_SUCCESS) {
    fail(fmt::format("send signal {} to job {}", signal, job));
  }
}

void requeue_job(const std::string& job) {
  initialise();
  const std::string action = fmt::format("requeue job {}", job);
  std::string id = job;
  job_array_resp_msg_t* response = nullptr;
  if (slurm_requeue2(id.data(), 0, &response) != SLURM_SUCCESS) fail(action);
  check_elements(response, action);
}

std::vector<ClusterJob> load_jobs_of_this_user() {
  const WholeLists whole;
  return translate_all(*load<job_info_msg_t>("list your jobs", slurm_free_job_info_msg, [](auto** message) {
    return slurm_load_job_user(message, ::getuid(), SHOW_ALL | SHOW_DETAIL | SHOW_LOCAL);
  }));
}

std::vector<ClusterJob> load_job(std::uint32_t number) {
  initialise();
  const WholeLists whole;
  job_info_msg_t* message = nullptr;
  if (compat::load_job(&message, number, SHOW_ALL | SHOW_DETAIL | SHOW_LOCAL) != SLURM_SUCCESS) {
    if (reason_of(errno) == Reason::unknown_job) return {};
    fail(fmt::format("ask for job {}", number));
  }
  const Owned<job_info_msg_t> owned(message, slurm_free_job_info_msg);
  return translate_all(*message);
}

void load_configuration(ClusterFacts& facts) {
  const auto configuration = load<slurm_conf_t>(
      "read the configuration of the cluster", [](slurm_conf_t* conf) { compat::free_configuration(conf); },
      [](auto** message) { return slurm_load_ctl_conf(0, message); });
  facts.name = or_empty(configuration->cluster_name);
  facts.version = or_empty(configuration->version);
  facts.max_array_size = configuration->max_array_sz;
  facts.max_jobs = configuration->max_job_cnt;
  if (or_empty(configuration->accounting_storage_type).ends_with("slurmdbd")) load_accounting(facts);
}

void load_partitions(ClusterFacts& facts) {
  const auto message =
      load<partition_info_msg_t>("list the partitions", slurm_free_partition_info_msg,
                                 [](auto** reply) { return slurm_load_partitions(0, reply, SHOW_ALL); });
  for (std::uint32_t index = 0; index < message->record_count; ++index) {
    facts.partitions.push_back(translate(message->partition_array[index]));
  }
}

void load_nodes(ClusterFacts& facts) {
  const auto message = load<node_info_msg_t>("list the nodes", slurm_free_node_info_msg, [](auto** reply) {
    return slurm_load_node(0, reply, SHOW_ALL);
  });
  for (std::uint32_t index = 0; index < message->record_count; ++index) {
    if (message->node_array[index].name != nullptr)
      facts.nodes.push_back(translate(message->node_array[index]));
  }
}

void load_reservations(ClusterFacts& facts) {
  const auto message =
      load<reserve_info_msg_t>("list the reservations", slurm_free_reservation_info_msg,
                               [](auto** reply) { return slurm_load_reservations(0, reply); });
  for (std::uint32_t index = 0; index < message->record_count; ++index) {
    facts.reservations.push_back(or_empty(message->reservation_array[index].name));
  }
}

void load_licenses(ClusterFacts& facts) {
  const auto message =
      load<license_info_msg_t>("list the licenses", slurm_free_license_info_msg,
                               [](auto** reply) { return slurm_load_licenses(0, reply, SHOW_ALL); });
  for (std::uint32_t index = 0; index < message->num_lic; ++index) {
    facts.licenses.emplace(or_empty(message->lic_array[index].name), message->lic_array[index].total);
  }
}

RequestCounts load_request_counts() {
  const auto statistics = load<stats_info_response_msg_t>("read the statistics of the controller",
                                                          slurm_free_stats_response_msg, [](auto** reply) {
                                                            stats_info_request_msg_t request{};
                                                            request.command_id = STAT_COMMAND_GET;
                                                            return slurm_get_statistics(reply, &request);
                                                          });
  RequestCounts counts;
  for (std::uint32_t index = 0; index < statistics->rpc_type_size; ++index) {
    counts.by_type[statistics->rpc_type_id[index]] = statistics->rpc_type_cnt[index];
  }
  for (std::uint32_t index = 0; index < statistics->rpc_user_size; ++index) {
    counts.by_user[statistics->rpc_user_id[index]] = statistics->rpc_user_cnt[index];
  }
  return counts;
}

}  // namespace kernmill::slurm
