#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace kernmill::slurm {

/// How ranks are laid out over nodes, sockets and cores (--distribution).
struct Distribution {
  enum class Order : std::uint8_t { unset = 0, cyclic = 1, block = 2, fcyclic = 3 };
  Order nodes = Order::unset, sockets = Order::unset, cores = Order::unset;
  bool arbitrary = false;
  std::uint32_t plane = 0;   ///< ranks in a plane; 0: no planes
  std::optional<bool> pack;  ///< onto as few nodes as possible
  [[nodiscard]] bool is_set() const {
    return nodes != Order::unset || arbitrary || plane != 0 || pack.has_value();
  }
};

/// The signal before a job's time is over (--signal).
struct Warning {
  std::uint16_t signal = 0;  ///< 0: none
  std::uint16_t seconds = 60;
  bool to_batch_script = false, in_reservation = false;
};

enum class Sharing { unset, none, allowed, user, mcs };
enum class Switch { unset, off, on };  ///< of an option with a --no- twin

/// Kinds of mail, in the order of sbatch's manual; bits of JobRequest::mail_types.
enum Mail : unsigned {
  mail_begin = 1U << 0,
  mail_end = 1U << 1,
  mail_fail = 1U << 2,
  mail_requeue = 1U << 3,
  mail_invalid_depend = 1U << 4,
  mail_stage_out = 1U << 5,
  mail_time_limit = 1U << 6,
  mail_time_limit_90 = 1U << 7,
  mail_time_limit_80 = 1U << 8,
  mail_time_limit_50 = 1U << 9,
  mail_array_tasks = 1U << 10,
};

/// What a list of sbatch's options asks for: numbers and texts in the units of Slurm, without its types.
/// An empty text and an empty number are options that were not given.
struct JobRequest {
  using Number = std::optional<std::uint32_t>;
  using Megabytes = std::optional<std::uint64_t>;
  using Time = std::optional<std::int64_t>;  ///< seconds since 1970
  static constexpr std::uint32_t no_limit = 0xffffffff;

  std::string account, acctg_freq, array, batch_features, burst_buffer, chdir, cluster_constraint, comment,
      constraint, container, container_id, dependency, error, exclude, input, licenses, mail_user, mcs_label,
      name, network, nodelist, output, partition, prefer, qos, reservation, wckey;
  std::string gpus, gpus_per_node, gpus_per_socket, gpus_per_task, gres, gpu_bind, gpu_freq, tres_bind;
  Number cpus_per_gpu, ntasks_per_gpu;
  Megabytes mem, mem_per_cpu, mem_per_gpu, tmp;

  Number nodes_min, nodes_max, ntasks, ntasks_per_node, ntasks_per_socket, ntasks_per_core, cpus_per_task,
      mincpus, sockets_per_node, cores_per_socket, threads_per_core, core_spec, thread_spec;
  bool any_threads_per_core = false;  ///< --hint=multithread: as many tasks and threads on a core as fit
  std::string hint;
  Distribution distribution;

  Number time, time_min, delay_boot;  ///< minutes, minutes, seconds; no_limit
  Time begin, deadline;
  Warning warning;
  Number priority, profile, switches, switches_wait;  ///< switches_wait: seconds
  std::optional<std::int32_t> nice;
  std::optional<unsigned> mail_types;
  std::optional<unsigned> umask;
  Sharing sharing = Sharing::unset;
  Switch requeue = Switch::unset, kill_on_invalid_dep = Switch::unset, wait_all_nodes = Switch::unset,
         gres_binding = Switch::unset;
  bool hold = false, contiguous = false, no_kill = false, overcommit = false, reboot = false,
       spread_job = false, use_min_nodes = false, append_output = false, truncate_output = false;

  std::uint32_t min_cpus = 1;  ///< of the whole job; `settle` works it out
};

}  // namespace kernmill::slurm
