#pragma once
#include <map>
#include <string>

namespace kernmill::storage {

/// How the bytes of tables travel between ranks and a file: each rank by pread and pwrite for itself, or all
/// together by MPI-IO.
enum class Transport { posix, mpiio };

/// What the site, the profile and the workflow say of it (`storage:`).
struct TransportSettings {
  enum class Choice { automatic, posix, mpiio };
  Choice choice = Choice::automatic;  ///< automatic: by file system and number of nodes
  std::map<std::string, std::string>
      hints{};  ///< for ROMIO, by name; they go before those of the file system
};

}  // namespace kernmill::storage
