#include "kernmill/slurm/library/describe.hpp"

#include <filesystem>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/slurm/settle/tres.hpp"

namespace kernmill::slurm {
namespace {

static_assert(SLURM_DIST_CYCLIC_BLOCK_CFULL == 0x0321 && SLURM_DIST_BLOCK_CYCLIC_BLOCK == 0x0212);
static_assert(ACCT_GATHER_PROFILE_NONE == 1 && ACCT_GATHER_PROFILE_NETWORK == 16);

void describe_texts(const JobRequest& request, Description& description) {
  job_desc_msg_t& message = description.message;
  description.set(message.account, request.account);
  description.set(message.acctg_freq, request.acctg_freq);
  description.set(message.array_inx, request.array);
  description.set(message.batch_features, request.batch_features);
  description.set(message.burst_buffer, request.burst_buffer);
  description.set(message.cluster_features, request.cluster_constraint);
  description.set(message.comment, request.comment);
  description.set(message.container, request.container);
  description.set(message.dependency, request.dependency);
  description.set(message.exc_nodes, request.exclude);
  description.set(message.features, request.constraint);
  description.set(message.licenses, request.licenses);
  description.set(message.mail_user, request.mail_user);
  description.set(message.mcs_label, request.mcs_label);
  description.set(message.name, request.name.empty() ? "sbatch" : request.name);
  description.set(message.network, request.network);
  description.set(message.partition, request.partition);
  description.set(message.prefer, request.prefer);
  description.set(message.qos, request.qos);
  description.set(message.req_nodes, request.nodelist);
  description.set(message.reservation, request.reservation);
  description.set(message.wckey, request.wckey);
  if (!request.container_id.empty())
    compat::set_container_id(message, description.keep(request.container_id));
}

void describe_devices(const JobRequest& request, Description& description) {
  job_desc_msg_t& message = description.message;
  const std::string gres = dialect().slash_tres ? "gres/" : "gres:";
  const std::string gpu = gpu_prefix(dialect());
  const auto of_gpu = [&](const auto& number) {
    return number ? fmt::format("{}{}", gpu, *number) : std::string();
  };
  std::string per_node = with_prefix(gpu, request.gpus_per_node);
  if (!request.gres.empty() && request.gres != "none") {
    per_node += fmt::format("{}{}", per_node.empty() ? "" : ",", with_prefix(gres, request.gres));
  }
  description.set(message.tres_per_job, with_prefix(gpu, request.gpus));
  description.set(message.tres_per_node, per_node);
  description.set(message.tres_per_socket, with_prefix(gpu, request.gpus_per_socket));
  description.set(message.tres_per_task, tres_per_task(request, dialect()));
  description.set(message.cpus_per_tres, of_gpu(request.cpus_per_gpu));
  description.set(message.mem_per_tres, of_gpu(request.mem_per_gpu));
  description.set(message.tres_bind, tres_bind(request, dialect()));
  if (!request.gpu_freq.empty()) message.tres_freq = description.keep("gpu:" + request.gpu_freq);
  Description::set(message.ntasks_per_tres, request.ntasks_per_gpu);
}

void describe_memory(const JobRequest& request, job_desc_msg_t& message) {
  if (request.mem_per_cpu) message.pn_min_memory = *request.mem_per_cpu | MEM_PER_CPU;
  if (request.mem) message.pn_min_memory = *request.mem;
}

void describe_size(const JobRequest& request, job_desc_msg_t& message) {
  Description::set(message.min_nodes, request.nodes_min);
  if (request.nodes_max.value_or(0) != 0) message.max_nodes = *request.nodes_max;
  Description::set(message.num_tasks, request.ntasks);
  Description::set(message.cpus_per_task, request.cpus_per_task);
  if (request.ntasks) message.bitflags |= JOB_NTASKS_SET;
  if (request.cpus_per_task) message.bitflags |= JOB_CPUS_SET;
  message.min_cpus = request.min_cpus;
  message.overcommit = request.overcommit ? 1 : message.overcommit;
  Description::set(message.pn_min_cpus, request.mincpus);
  Description::set(message.ntasks_per_node, request.ntasks_per_node);
  Description::set(message.ntasks_per_socket, request.ntasks_per_socket);
  Description::set(message.ntasks_per_core, request.ntasks_per_core);
  if (request.any_threads_per_core) message.ntasks_per_core = INFINITE16;
  Description::set(message.sockets_per_node, request.sockets_per_node);
  Description::set(message.cores_per_socket, request.cores_per_socket);
  Description::set(message.threads_per_core, request.threads_per_core);
  Description::set(message.core_spec, request.core_spec);
  if (request.thread_spec) {
    message.core_spec = static_cast<std::uint16_t>(*request.thread_spec | CORE_SPEC_THREAD);
  }
  Description::set(message.pn_min_tmp_disk, request.tmp);
  describe_memory(request, message);
}

void describe_layout(const Distribution& distribution, job_desc_msg_t& message) {
  if (!distribution.is_set()) return;
  std::uint32_t value = SLURM_DIST_UNKNOWN;
  if (distribution.arbitrary) value = SLURM_DIST_ARBITRARY;
  if (distribution.plane != 0) value = SLURM_DIST_PLANE;
  if (distribution.nodes != Distribution::Order::unset) {
    value = static_cast<std::uint32_t>(distribution.nodes) |
            static_cast<std::uint32_t>(distribution.sockets) << 4 |
            static_cast<std::uint32_t>(distribution.cores) << 8;
  }
  if (distribution.pack) value |= *distribution.pack ? SLURM_DIST_PACK_NODES : SLURM_DIST_NO_PACK_NODES;
  message.task_dist = value;
  if (distribution.plane != 0) message.plane_size = static_cast<std::uint16_t>(distribution.plane);
}

std::uint32_t or_infinite(std::uint32_t number) {
  return number == JobRequest::no_limit ? INFINITE : number;
}

void describe_times(const JobRequest& request, job_desc_msg_t& message) {
  if (request.time) message.time_limit = or_infinite(*request.time);
  if (request.time_min) message.time_min = or_infinite(*request.time_min);
  if (request.delay_boot) message.delay_boot = or_infinite(*request.delay_boot);
  Description::set(message.begin_time, request.begin);
  Description::set(message.deadline, request.deadline);
  if (request.warning.signal != 0) {
    message.warn_signal = request.warning.signal;
    message.warn_time = request.warning.seconds;
    message.warn_flags = static_cast<std::uint16_t>((request.warning.to_batch_script ? KILL_JOB_BATCH : 0) |
                                                    (request.warning.in_reservation ? KILL_JOB_RESV : 0));
  }
  if (request.nice) message.nice = static_cast<std::uint32_t>(NICE_OFFSET + *request.nice);
  Description::set(message.priority, request.priority);
  if (request.hold) message.priority = 0;
}

std::uint16_t mail_bits(unsigned types) {
  constexpr std::pair<unsigned, unsigned> bits[] = {{mail_begin, MAIL_JOB_BEGIN},
                                                    {mail_end, MAIL_JOB_END},
                                                    {mail_fail, MAIL_JOB_FAIL},
                                                    {mail_requeue, MAIL_JOB_REQUEUE},
                                                    {mail_invalid_depend, MAIL_INVALID_DEPEND},
                                                    {mail_stage_out, MAIL_JOB_STAGE_OUT},
                                                    {mail_time_limit, MAIL_JOB_TIME100},
                                                    {mail_time_limit_90, MAIL_JOB_TIME90},
                                                    {mail_time_limit_80, MAIL_JOB_TIME80},
                                                    {mail_time_limit_50, MAIL_JOB_TIME50},
                                                    {mail_array_tasks, MAIL_ARRAY_TASKS}};
  unsigned result = 0;
  for (const auto& [ours, theirs] : bits) result |= (types & ours) != 0 ? theirs : 0U;
  return static_cast<std::uint16_t>(result);
}

void describe_policy(const JobRequest& request, job_desc_msg_t& message) {
  const auto flag = [&message](bool is_set, std::uint64_t bit) { message.bitflags |= is_set ? bit : 0; };
  flag(request.kill_on_invalid_dep == Switch::on, KILL_INV_DEP);
  flag(request.kill_on_invalid_dep == Switch::off, NO_KILL_INV_DEP);
  flag(request.gres_binding == Switch::on, GRES_ENFORCE_BIND);
  flag(request.gres_binding == Switch::off, GRES_DISABLE_BIND);
  flag(request.spread_job, SPREAD_JOB);
  flag(request.use_min_nodes, USE_MIN_NODES);
  if (request.requeue != Switch::unset) message.requeue = request.requeue == Switch::on ? 1 : 0;
  if (request.wait_all_nodes != Switch::unset)
    message.wait_all_nodes = request.wait_all_nodes == Switch::on ? 1 : 0;
  message.mail_type = mail_bits(request.mail_types.value_or(0));
  message.contiguous = request.contiguous ? 1 : 0;
  if (request.no_kill) message.kill_on_node_fail = 0;
  if (request.reboot) message.reboot = 1;
  if (request.append_output) message.open_mode = OPEN_MODE_APPEND;
  if (request.truncate_output) message.open_mode = OPEN_MODE_TRUNCATE;
  switch (request.sharing) {
    case Sharing::unset:
      break;
    case Sharing::none:
      message.shared = JOB_SHARED_NONE;
      break;
    case Sharing::allowed:
      message.shared = JOB_SHARED_OK;
      break;
    case Sharing::user:
      message.shared = JOB_SHARED_USER;
      break;
    case Sharing::mcs:
      message.shared = JOB_SHARED_MCS;
      break;
  }
  Description::set(message.profile, request.profile);
  Description::set(message.req_switch, request.switches);
  Description::set(message.wait4switch, request.switches_wait);
}

/// Where the job starts and where its output goes: absolute, as Slurm takes them.
void describe_files(const JobRequest& request, Description& description) {
  job_desc_msg_t& message = description.message;
  const std::filesystem::path folder =
      request.chdir.empty() ? std::filesystem::current_path() : std::filesystem::absolute(request.chdir);
  const auto absolute = [&folder](const std::string& file) {
    return file.empty() ? file : (folder / file).string();
  };
  description.set(message.work_dir, folder.string());
  description.set(message.std_out, absolute(request.output));
  description.set(message.std_err, absolute(request.error));
  description.set(message.std_in, request.input.empty() ? "/dev/null" : absolute(request.input));
}

void describe_environment(const std::vector<std::string>& variables, Description& description) {
  for (const std::string& variable : variables) description.environment.push_back(description.keep(variable));
  description.message.env_size = static_cast<std::uint32_t>(description.environment.size());
  description.environment.push_back(nullptr);
  description.message.environment = description.environment.data();
}

}  // namespace

void describe(const Submission& submission, Description& description) {
  const JobRequest& request = submission.request;
  job_desc_msg_t& message = description.message;
  describe_texts(request, description);
  describe_devices(request, description);
  describe_size(request, message);
  describe_layout(request.distribution, message);
  describe_times(request, message);
  describe_policy(request, message);
  message.user_id = ::getuid();
  message.group_id = ::getgid();
  describe_files(request, description);
  description.set(message.script, submission.script);
  describe_environment(submission.env, description);
}

void describe_changes(const JobRequest& request, Description& description) {
  job_desc_msg_t& message = description.message;
  describe_memory(request, message);
  if (request.time) message.time_limit = or_infinite(*request.time);
  description.set(message.exc_nodes, request.exclude);
  Description::set(message.begin_time, request.begin);
  if (request.nice) message.nice = static_cast<std::uint32_t>(NICE_OFFSET + *request.nice);
}

}  // namespace kernmill::slurm
