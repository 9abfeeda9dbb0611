#include "kernmill/tasks/self_check.hpp"

#include <array>
#include <cstdio>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

#include "kernmill/kernels/processor.hpp"
#include "kernmill/storage/hdf5/library.hpp"
#include "kernmill/tasks/comm/device_memory.hpp"
#include "kernmill/tasks/support/blas.hpp"
#include "kernmill/tasks/support/json.hpp"
#include "kernmill/tasks/support/program.hpp"

namespace kernmill::tasks {
namespace {

std::string kokkos_text() {
  return fmt::format("Kokkos {}.{}.{}, {}{}", KOKKOS_VERSION / 10000, KOKKOS_VERSION / 100 % 100,
                     KOKKOS_VERSION % 100, Kokkos::DefaultExecutionSpace::name(), way_of_messages());
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
                  {"blas", blas_file()},
                  {"blas_kernels", blas_kernels()},
                  {"loops", kernels::name_of(kernels::processor_level())}};
  std::fputs((json.dump() + '\n').c_str(), stdout);
}

}  // namespace kernmill::tasks
