#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include <limits.h>
#include <mpi.h>

#include "temporary_directory.hpp"

namespace kernmill::testing {

/// A directory of rank 0's that all ranks see; gone when all have destroyed theirs. Collective.
class SharedTemporaryDirectory {
 public:
  explicit SharedTemporaryDirectory(
      const std::filesystem::path& place = std::filesystem::temp_directory_path()) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    std::string name;
    if (rank == 0) name = own_.emplace(place).path().string();
    name.resize(PATH_MAX);
    MPI_Bcast(name.data(), PATH_MAX, MPI_CHAR, 0, MPI_COMM_WORLD);
    path_ = name.c_str();
  }
  ~SharedTemporaryDirectory() { MPI_Barrier(MPI_COMM_WORLD); }
  SharedTemporaryDirectory(const SharedTemporaryDirectory&) = delete;
  SharedTemporaryDirectory& operator=(const SharedTemporaryDirectory&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::optional<TemporaryDirectory> own_;  ///< rank 0's
  std::filesystem::path path_;
};

}  // namespace kernmill::testing
