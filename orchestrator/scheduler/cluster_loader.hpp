#pragma once
#include <filesystem>
#include <memory>

#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// Where the Slurm plug-in is looked for: KERNMILL_SLURM_PLUGIN, else kernmill_slurm.so beside this program,
/// or where it is installed (../lib/kernmill, or as CMAKE_INSTALL_LIBDIR says: ../lib64/kernmill); empty when
/// it is in none of them.
std::filesystem::path find_slurm_plugin();

/// Opens the plug-in (it stays open). Throws ClusterError{unavailable} that says what is missing or does not
/// match, what to rebuild, and how.
std::unique_ptr<Cluster> open_slurm();

}  // namespace kernmill
