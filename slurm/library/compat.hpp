#pragma once
// Slurm's headers, for the sources of this folder alone. (errors_check.cpp includes one of them itself,
// inside a namespace.) What differs between releases is found out by what the headers declare, not by their
// number, wherever that is possible.
#include <string>

#include <dlfcn.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurmdb.h>

extern "C" {  // exported by libslurm, and declared by some releases only
void slurm_free_will_run_response_msg(will_run_response_msg_t* message);
void slurm_free_stats_response_msg(stats_info_response_msg_t* message);
}

namespace kernmill::slurm::compat {

template <class Response>
std::uint32_t job_id(const Response& response) {
  if constexpr (requires { response.job_id; }) {
    return response.job_id;
  } else {
    return response.step_id.job_id;
  }
}

inline slurm_step_id_t step_of(std::uint32_t job) {
  slurm_step_id_t step{};
  step.job_id = job;
  step.step_id = NO_VAL;
  step.step_het_comp = NO_VAL;
  return step;
}

template <class Message>
int load_job(Message** message, std::uint32_t job, std::uint16_t flags) {
  if constexpr (requires { slurm_load_job(message, job, flags); }) {
    return slurm_load_job(message, job, flags);
  } else {
    return slurm_load_job(message, step_of(job), flags);
  }
}

template <class Configuration>
void free_configuration(Configuration* configuration) {
  if constexpr (requires { slurm_free_ctl_conf(configuration); }) {
    slurm_free_ctl_conf(configuration);
  } else {
    slurm_free_conf(configuration);
  }
}

/// Why one element of an array was refused.
template <class Response>
std::string element_error(const Response* response, std::uint32_t index) {
  if constexpr (requires { response->err_msg; }) {
    if (response->err_msg != nullptr && response->err_msg[index] != nullptr) return response->err_msg[index];
  }
  return slurm_strerror(static_cast<int>(response->error_code[index]));
}

template <class Description>
void set_container_id(Description& description, char* id) {
  if constexpr (requires { description.container_id; }) description.container_id = id;
}

template <class Description>
void set_oom_kill_step(Description& description) {
  if constexpr (requires { description.oom_kill_step; }) description.oom_kill_step = NO_VAL16;
}

/// The path of the libslurm that this process has loaded.
inline std::string library_path() {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<void*>(&slurm_init), &info) != 0 ? info.dli_fname : "libslurm.so";
}

/// Slurm's own plug-ins (auth_munge.so) take their symbols from a libslurm that everybody sees; ours was
/// opened for us alone.
inline void show_library_to_all() {
  ::dlopen(library_path().c_str(), RTLD_LAZY | RTLD_GLOBAL | RTLD_NOLOAD);
}

/// The name of a reason that a job waits or has ended for: the function has had two names.
inline std::string reason_name(std::uint32_t reason) {
  using Name = const char* (*)(std::uint32_t);
  static const Name name = [] {
    void* library = ::dlopen(library_path().c_str(), RTLD_LAZY | RTLD_NOLOAD);
    void* found = ::dlsym(library, "slurm_job_state_reason_string");
    return reinterpret_cast<Name>(found != nullptr ? found : ::dlsym(library, "slurm_job_reason_string"));
  }();
  return name == nullptr ? std::to_string(reason) : name(reason);
}

}  // namespace kernmill::slurm::compat
