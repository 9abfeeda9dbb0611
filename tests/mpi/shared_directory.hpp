#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <mpi.h>

#include "shared_temporary_directory.hpp"

namespace kernmill::testing {

inline int world_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

inline int world_size() {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

/// A fresh directory that all ranks see, for one test.
class SharedDirectory : public ::testing::Test {
 protected:
  void SetUp() override { directory = own_.emplace().path(); }
  void TearDown() override { own_.reset(); }
  /// Rank 0 writes a file; the others wait until it is there.
  void put(const std::filesystem::path& file, const std::string& content) const {
    if (world_rank() == 0) {
      std::error_code absent;  // it may be a finished artifact, which is read-only
      std::filesystem::permissions(file, std::filesystem::perms::owner_write,
                                   std::filesystem::perm_options::add, absent);
      std::ofstream(file, std::ios::binary) << content;
    }
    MPI_Barrier(MPI_COMM_WORLD);
  }
  static std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Names of what is in the directory.
  [[nodiscard]] std::vector<std::string> names() const {
    MPI_Barrier(MPI_COMM_WORLD);
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
      found.push_back(entry.path().filename().string());
    MPI_Barrier(MPI_COMM_WORLD);
    return found;
  }
  std::filesystem::path directory;

 private:
  std::optional<SharedTemporaryDirectory> own_;
};

/// The message of the exception that `work` throws; empty when it throws none.
template <class Exception, class Work>
std::string message_of(const Work& work) {
  try {
    work();
  } catch (const Exception& e) {
    return e.what();
  }
  return {};
}

}  // namespace kernmill::testing
