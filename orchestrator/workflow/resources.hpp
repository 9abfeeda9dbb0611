#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "kernmill/workflow/value/sbatch_options.hpp"
#include "kernmill/workflow/value/value.hpp"

namespace kernmill {

/// What a job asks for. Names and meaning are those of sbatch's long options.
struct Resources {
  int nodes_min = 0;  ///< 0: not asked for
  int nodes_max = 0;
  int ntasks = 1;               ///< at least, where the nodes give them
  bool ntasks_by_node = false;  ///< `ntasks` was not asked for, and `nodes` or `ntasks_per_node` was: every
                                ///< node of the job has `ntasks_per_node` ranks, or one
  int ntasks_per_node = 0;
  int cpus_per_task = 1;
  std::string gpus, gpus_per_node, gpus_per_task;  ///< "2" or "a100:2"
  std::uint64_t mem = 0;                           ///< bytes a node; 0: not asked for
  std::uint64_t mem_per_cpu = 0;                   ///< bytes
  std::chrono::seconds time{0};                    ///< 0: no limit
  std::string account, partition, qos, reservation, constraint, exclude, gres, licenses;
  SbatchOptions slurm_extra;  ///< taken apart; the parser refuses strays, but those that a matrix gives
  [[nodiscard]] int cores() const { return ntasks * cpus_per_task; }
};

/// The resources of one instance: `resources` (no templates left) as typed values.
/// The parser has checked them; throws std::invalid_argument when a matrix value does not fit after all.
Resources to_resources(const Json& resources);
/// What `to_resources` reads back; what is not asked for is left out.
Json to_json(const Resources& resources);
/// Sbatch's long options for `resources`, those of `slurm_extra` last. Throws std::invalid_argument that says
/// what in `slurm_extra` is none.
SbatchOptions::List options_for(const Resources& resources);

}  // namespace kernmill
