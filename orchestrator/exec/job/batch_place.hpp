#pragma once
#include <cstdint>
#include <string>

#include "kernmill/exec/job/launcher.hpp"

namespace kernmill::exec {

/// Where in a batch system this process runs, as its environment says.
struct BatchPlace {
  std::string job;  ///< of the whole array, or the plain job: "12"
  bool is_array = false;
  std::uint32_t element = 0;      ///< of the array; 0 for a plain job
  unsigned restart = 0;           ///< how often the batch system has started it before
  int nodes = 1;                  ///< that it got
  std::uint64_t mem = 0;          ///< bytes of a node that it got; 0: not said
  std::uint64_t mem_per_cpu = 0;  ///< likewise
  std::string node;               ///< the one that this process runs on, by the batch system's name

  int cpus = 0;  ///< on this node; 0: not said

  /// The node, where it is the only one.
  [[nodiscard]] std::string only_node() const { return nodes == 1 ? node : ""; }

  /// Bytes that it may have on this node; 0: not said.
  [[nodiscard]] std::uint64_t memory() const;
  /// How the batch system names it: "12_3", "12". Journal files are named so, too.
  [[nodiscard]] std::string name() const;
};

/// Throws std::invalid_argument when this is no job of Slurm.
BatchPlace batch_place(const Environment& environment);

}  // namespace kernmill::exec
