#pragma once
#include <string>

namespace kernmill::tasks {

/// Whether a Communicator's methods take arrays of kernels::Device, but for sums, which MPI makes on the
/// host. Where that is the host they do. Of a GPU MPICH tells, from 4.0 on; MPIR_CVAR_ENABLE_GPU=0 forbids
/// it. Open MPI takes them in blocking calls alone, and these do not block; of any other MPI it is not
/// supposed. Neither does memory go to MPI that Kokkos takes from a pool of CUDA's, which other processes
/// cannot map. MPI has to be initialized.
bool mpi_takes_device_memory();

/// By which way messages of a GPU's arrays go, in words behind a comma; empty where the device is the host.
std::string way_of_messages();

}  // namespace kernmill::tasks
