#include "kernmill/slurm/settle/job_environment.hpp"

#include <array>
#include <cerrno>
#include <filesystem>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/slurm/settle/tres.hpp"

namespace kernmill::slurm {
namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

constexpr std::array<std::pair<const char*, int>, 10> limit_names{{{"CPU", RLIMIT_CPU},
                                                                   {"FSIZE", RLIMIT_FSIZE},
                                                                   {"DATA", RLIMIT_DATA},
                                                                   {"STACK", RLIMIT_STACK},
                                                                   {"CORE", RLIMIT_CORE},
                                                                   {"RSS", RLIMIT_RSS},
                                                                   {"NPROC", RLIMIT_NPROC},
                                                                   {"NOFILE", RLIMIT_NOFILE},
                                                                   {"MEMLOCK", RLIMIT_MEMLOCK},
                                                                   {"AS", RLIMIT_AS}}};

void add(Variables& variables, const char* name, const std::string& value) {
  if (!value.empty()) variables.emplace_back(name, value);
}

template <class Number>
void add(Variables& variables, const char* name, const std::optional<Number>& value) {
  if (value) variables.emplace_back(name, std::to_string(*value));
}

std::string level(Distribution::Order order) {
  switch (order) {
    case Distribution::Order::cyclic:
      return "cyclic";
    case Distribution::Order::block:
      return "block";
    case Distribution::Order::fcyclic:
      return "fcyclic";
    default:
      return {};
  }
}

std::string in_words(const Distribution& distribution) {
  std::string text = distribution.arbitrary    ? "arbitrary"
                     : distribution.plane != 0 ? "plane"
                                               : level(distribution.nodes);
  if (distribution.sockets != Distribution::Order::unset) text += ':' + level(distribution.sockets);
  if (distribution.cores != Distribution::Order::unset) text += ':' + level(distribution.cores);
  if (distribution.pack)
    text += fmt::format("{}{}", text.empty() ? "" : ",", *distribution.pack ? "pack" : "nopack");
  return text;
}

void add_layout(Variables& variables, const JobRequest& request) {
  add(variables, "SLURM_NTASKS", request.ntasks);
  add(variables, "SLURM_NPROCS", request.ntasks);
  add(variables, "SLURM_CPUS_PER_TASK", request.cpus_per_task);
  add(variables, "SLURM_NTASKS_PER_CORE", request.ntasks_per_core);
  add(variables, "SLURM_NTASKS_PER_GPU", request.ntasks_per_gpu);
  add(variables, "SLURM_NTASKS_PER_NODE", request.ntasks_per_node);
  add(variables, "SLURM_NTASKS_PER_SOCKET", request.ntasks_per_socket);
  add(variables, "SLURM_THREADS_PER_CORE", request.threads_per_core);
  add(variables, "SLURM_HINT", request.hint);
  add(variables, "SLURM_DISTRIBUTION", in_words(request.distribution));
  if (request.distribution.plane != 0) {
    variables.emplace_back("SLURM_DIST_PLANESIZE", std::to_string(request.distribution.plane));
  }
}

void add_devices(Variables& variables, const JobRequest& request) {
  add(variables, "SLURM_CPUS_PER_GPU", request.cpus_per_gpu);
  add(variables, "SLURM_GPUS", request.gpus);
  add(variables, "SLURM_GPU_BIND", request.gpu_bind);
  add(variables, "SLURM_GPU_FREQ", request.gpu_freq);
  add(variables, "SLURM_GPUS_PER_NODE", request.gpus_per_node);
  add(variables, "SLURM_GPUS_PER_SOCKET", request.gpus_per_socket);
  add(variables, "SLURM_GPUS_PER_TASK", request.gpus_per_task);
  add(variables, "SLURM_MEM_PER_GPU", request.mem_per_gpu);
}

}  // namespace

Submitter this_submitter() {
  Submitter submitter;
  std::error_code unreadable;
  submitter.folder = std::filesystem::current_path(unreadable).string();
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) submitter.host = host.data();
  submitter.umask = ::umask(0);
  ::umask(submitter.umask);
  errno = 0;
  const int niceness = ::getpriority(PRIO_PROCESS, 0);
  submitter.niceness = niceness == -1 && errno != 0 ? 0 : niceness;
  for (const auto& [name, resource] : limit_names) {
    ::rlimit limit{};
    if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0) {
      submitter.limits.emplace_back(name, limit.rlim_cur);
    }
  }
  return submitter;
}

std::vector<std::pair<std::string, std::string>> job_environment(const JobRequest& request,
                                                                 const Dialect& dialect,
                                                                 const Submitter& submitter) {
  Variables variables;
  add(variables, "SLURM_SUBMIT_DIR", submitter.folder);
  add(variables, "SLURM_SUBMIT_HOST", submitter.host);
  add(variables, "SLURM_JOB_NAME", request.name);
  add(variables, "SLURM_UMASK", fmt::format("{:04o}", request.umask.value_or(submitter.umask)));
  add(variables, "SLURM_PRIO_PROCESS", std::to_string(submitter.niceness));
  for (const auto& [name, value] : submitter.limits) {
    variables.emplace_back("SLURM_RLIMIT_" + name, std::to_string(value));
  }
  add_layout(variables, request);
  add_devices(variables, request);
  if (dialect.counts_per_task) add(variables, "SLURM_TRES_PER_TASK", tres_per_task(request, dialect));
  add(variables, "SLURM_CONTAINER", request.container);
  if (request.append_output) variables.emplace_back("SLURM_OPEN_MODE", "a");
  if (request.truncate_output) variables.emplace_back("SLURM_OPEN_MODE", "t");
  return variables;
}

}  // namespace kernmill::slurm
