#pragma once
#include <string>

namespace kernmill::tasks {

/// Whether MPI sends from and receives into arrays of kernels::Device. Where that is the host it does. Of a
/// GPU it depends on how MPI was built and started: MPICH (from 4.0 on) and Open MPI tell; of any other one
/// it is not supposed. Neither do pointers go to MPI whose memory Kokkos takes from a pool of CUDA's, which
/// other processes cannot map. MPI has to be initialized. MPI's own variable turns it off:
/// MPIR_CVAR_ENABLE_GPU=0 for MPICH.
bool mpi_takes_device_memory();

/// By which way messages of a GPU's arrays go, in words behind a comma; empty where the device is the host.
std::string way_of_messages();

}  // namespace kernmill::tasks
