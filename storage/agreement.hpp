#pragma once
#include <chrono>
#include <functional>
#include <string>

#include <mpi.h>

/// Private to storage/: how ranks that share a file fail together.
namespace kernmill::storage {

/// Collective. Runs `work` on every rank; when it throws Error on any, every rank throws the lowest rank's.
void agree(MPI_Comm comm, const std::function<void()>& work);

/// The same, with `work` on rank 0 alone.
void agree_on_root(MPI_Comm comm, const std::function<void()>& work);

/// Collective: everybody gets rank 0's text.
void broadcast(MPI_Comm comm, std::string& text);

/// Collective: whether all ranks get here in time.
bool all_arrive(MPI_Comm comm, std::chrono::seconds patience);

int rank_in(MPI_Comm comm);
int size_of(MPI_Comm comm);

/// A duplicate of a communicator, freed at the end.
class OwnComm {
 public:
  explicit OwnComm(MPI_Comm comm) { MPI_Comm_dup(comm, &comm_); }
  ~OwnComm() { MPI_Comm_free(&comm_); }
  OwnComm(const OwnComm&) = delete;
  OwnComm& operator=(const OwnComm&) = delete;
  [[nodiscard]] MPI_Comm get() const { return comm_; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace kernmill::storage
