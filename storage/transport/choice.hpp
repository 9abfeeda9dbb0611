#pragma once
#include <filesystem>
#include <string>

#include <mpi.h>

#include "kernmill/storage/transport/file_system.hpp"
#include "kernmill/storage/transport/settings.hpp"

namespace kernmill::storage {

/// How a run's tables travel, and why.
struct TransportChoice {
  Transport transport = Transport::posix;
  std::string reason;  ///< one line: "mpiio: NFS, 2 nodes"
  FileSystem file_system = FileSystem::local;
  int nodes = 1;
};

enum class Purpose { reading, writing };

/// The rule itself. Ranks of one node write through one kernel, which keeps their bytes apart: posix. Several
/// nodes go through MPI-IO, but on file systems that are one node's alone. Throws Error where posix is asked
/// for and several nodes would write through NFS.
TransportChoice decide_transport(TransportSettings::Choice wanted, FileSystem file_system, int nodes,
                                 Purpose purpose);

/// Collective: the same for every rank. `directory` need not be there yet.
TransportChoice choose_transport(MPI_Comm comm, const std::filesystem::path& directory,
                                 const TransportSettings& settings, Purpose purpose = Purpose::writing);

/// Whether a file system serves large requests much better than small ones when several nodes read.
bool likes_large_requests(FileSystem file_system);

const char* to_string(Transport transport);
/// The settings that ask for this one.
TransportSettings asking_for(Transport transport);

}  // namespace kernmill::storage
