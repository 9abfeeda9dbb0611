#pragma once
#include <cstdint>
#include <filesystem>

/// How fast datasets are written and read in a directory, by both transports, beside the same bytes by plain
/// pwrite, fsync and pread.
namespace kernmill::storage::tool {

struct Measuring {
  std::filesystem::path directory;                  ///< that of nobody else: files come and go in it
  std::filesystem::path output;                     ///< where rank 0 writes what came out, as JSON
  std::uint64_t bytes = std::uint64_t{256} << 20U;  ///< of the features, of all ranks together
  int rounds = 3;
};

/// An MPI program: `kernmill-storage measure DIRECTORY --output FILE [--bytes N]`. Returns its exit status.
int run_measuring(int argc, char** argv);

}  // namespace kernmill::storage::tool
