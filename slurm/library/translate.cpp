#include "kernmill/slurm/library/translate.hpp"

#include <algorithm>
#include <vector>

#include <sys/wait.h>

#include "kernmill/slurm/options/value_formats.hpp"

namespace kernmill::slurm {
namespace {

std::vector<std::string> split_list(const char* list) {
  std::vector<std::string> parts;
  const std::string text = or_empty(list);
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    if (comma > start) parts.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return parts;
}

JobState base_state_of(std::uint32_t state) {
  switch (state & JOB_STATE_BASE) {
    case JOB_PENDING:
      return JobState::pending;
    case JOB_RUNNING:
      return JobState::running;
    case JOB_SUSPENDED:
      return JobState::suspended;
    case JOB_COMPLETE:
      return JobState::completed;
    case JOB_CANCELLED:
      return JobState::cancelled;
    case JOB_TIMEOUT:
    case JOB_DEADLINE:
      return JobState::timeout;
    case JOB_NODE_FAIL:
    case JOB_BOOT_FAIL:
      return JobState::node_fail;
    case JOB_PREEMPTED:
      return JobState::preempted;
    case JOB_OOM:
      return JobState::out_of_memory;
    default:
      return JobState::failed;
  }
}

/// Of a wait status: 128 + signal when a signal ended it.
int exit_code_of(std::uint32_t status) {
  const int value = static_cast<int>(status);
  return WIFSIGNALED(value) ? 128 + WTERMSIG(value) : WEXITSTATUS(value);
}

std::string elements_of(const slurm_job_info_t& job) {
  if (job.array_job_id == 0) return {};
  if (job.array_task_id != NO_VAL) return std::to_string(job.array_task_id);
  std::string elements = or_empty(job.array_task_str);
  return elements.substr(0, elements.find('%'));
}

std::chrono::seconds limit_of(std::uint32_t minutes) {
  return minutes == INFINITE || minutes == NO_VAL ? std::chrono::seconds{0} : std::chrono::minutes{minutes};
}

}  // namespace

std::string or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

ClusterJob translate(const slurm_job_info_t& job) {
  ClusterJob result;
  result.id = std::to_string(job.array_job_id != 0 ? job.array_job_id : job.job_id);
  result.elements = elements_of(job);
  result.name = or_empty(job.name);
  result.comment = or_empty(job.comment);
  result.next_state = base_state_of(job.job_state);
  result.state = (job.job_state & JOB_COMPLETING) != 0 ? JobState::completing : result.next_state;
  const std::string description = or_empty(job.state_desc);
  result.reason = description.empty() ? compat::reason_name(job.state_reason) : description;
  if (result.reason == "None") result.reason.clear();
  result.held = job.priority == 0 && (job.job_state & JOB_STATE_BASE) == JOB_PENDING;
  result.exit_code = exit_code_of(job.exit_code);
  result.restarts = job.restart_cnt;
  result.nodes = or_empty(job.nodes);
  result.dependency = or_empty(job.dependency);
  result.submitted = job.submit_time;
  result.start = job.start_time;
  // Until a job has ended, Slurm gives the time at which its limit would end it.
  const bool has_ended = !is_live(result.state) || result.state == JobState::completing;
  (has_ended ? result.end : result.limit) = job.end_time;
  return result;
}

ClusterFacts::Partition translate(const partition_info_t& partition) {
  ClusterFacts::Partition result;
  result.name = or_empty(partition.name);
  result.is_default = (partition.flags & PART_FLAG_DEFAULT) != 0;
  result.is_up = (partition.state_up & PARTITION_UP) == PARTITION_UP;
  result.max_time = limit_of(partition.max_time);
  result.default_time = partition.default_time == NO_VAL ? result.max_time : limit_of(partition.default_time);
  result.max_nodes = partition.max_nodes == INFINITE ? 0 : partition.max_nodes;
  result.min_nodes = partition.min_nodes;
  if (const std::string nodes = or_empty(partition.nodes); !nodes.empty()) result.nodes = expand_hosts(nodes);
  result.allowed_accounts = split_list(partition.allow_accounts);
  result.allowed_qos = split_list(partition.allow_qos);
  return result;
}

ClusterFacts::Node translate(const node_info_t& node) {
  ClusterFacts::Node result;
  result.name = or_empty(node.name);
  result.cpus = node.cpus;
  result.mem = std::uint64_t{node.real_memory} * 1024 * 1024;
  result.features = split_list(node.features);
  result.gres = or_empty(node.gres);
  const std::uint32_t base = node.node_state & NODE_STATE_BASE;
  constexpr std::uint32_t unusable = NODE_STATE_DRAIN | NODE_STATE_NO_RESPOND | NODE_STATE_FAIL;
  result.is_down = base == NODE_STATE_DOWN || base == NODE_STATE_ERROR || (node.node_state & unusable) != 0;
  return result;
}

}  // namespace kernmill::slurm
