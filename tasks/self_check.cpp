#include "kernmill/tasks/self_check.hpp"

#include <array>
#include <cstdio>

#include <Kokkos_Core.hpp>
#include <dlfcn.h>
#include <fmt/format.h>

#include "kernmill/storage/hdf5/library.hpp"
#include "kernmill/tasks/support/json.hpp"
#include "kernmill/tasks/support/program.hpp"

namespace kernmill::tasks {
namespace {

std::string kokkos_text() {
  return fmt::format("Kokkos {}.{}.{}, {}", KOKKOS_VERSION / 10000, KOKKOS_VERSION / 100 % 100,
                     KOKKOS_VERSION % 100, Kokkos::DefaultExecutionSpace::name());
}

/// The file that matrices are multiplied by; empty when the program has it built in.
std::string blas_file() {
  void* const gemm = dlsym(RTLD_DEFAULT, "cblas_dgemm");
  Dl_info found{};
  return gemm != nullptr && dladdr(gemm, &found) != 0 && found.dli_fname != nullptr ? found.dli_fname : "";
}

}  // namespace

void print_self_check(const Communicator& world) {
  const int sum = world.allreduce(world.rank() + 1, Reduction::sum);
  if (!world.is_root()) return;
  const Json json{{"program", program()},
                  {"ranks", world.size()},
                  {"sum_is_right", sum == world.size() * (world.size() + 1) / 2},
                  {"mpi", Communicator::library_version()},
                  {"hdf5", storage::library_version()},
                  {"kokkos", kokkos_text()},
                  {"blas", blas_file()}};
  std::fputs((json.dump() + '\n').c_str(), stdout);
}

}  // namespace kernmill::tasks
