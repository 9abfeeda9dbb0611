#pragma once
#include <cstdlib>

#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// MPI from here to the end of the scope; one a program. Communicators must be gone before it is.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv) {
    int provided = 0;  // one thread talks MPI, but it is not alone
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  }
  ~MpiSession() { MPI_Finalize(); }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  [[nodiscard]] Communicator world() const { return Communicator(MPI_COMM_WORLD); }
};

/// Ends all ranks at once, wherever they are.
[[noreturn]] inline void end_all_ranks(const Communicator& comm, int status) {
  MPI_Abort(comm.handle(), status);
  std::abort();  // MPI_Abort does not come back
}

}  // namespace kernmill::tasks
