#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

/// How ranks that work together fail together. (tasks/comm builds on it, for errors that carry more.)
namespace kernmill::storage {

/// Collective. Runs `work` on every rank; when it throws Error (KeyError) on any, every rank throws the
/// lowest rank's.
void agree(MPI_Comm comm, const std::function<void()>& work);

/// The same, with `work` on rank 0 alone.
void agree_on_root(MPI_Comm comm, const std::function<void()>& work);

/// Collective: the lowest rank's text of those that are not empty; empty where all are.
std::string lowest_text(MPI_Comm comm, std::string own);

/// Collective: everybody gets a rank's text.
void broadcast(MPI_Comm comm, std::string& text, int root = 0);
/// The same for bytes whose number everybody knows.
void broadcast(MPI_Comm comm, std::span<std::byte> bytes, int root = 0);

/// Collective: everybody's texts, in the order of the ranks.
std::vector<std::string> gather_texts(MPI_Comm comm, const std::string& own);

/// Whether all ranks call this within `patience` of each other; else who did has waited for so long.
/// Afterwards, where it was false, the communicator is of no use any more.
bool all_arrive(MPI_Comm comm, std::chrono::milliseconds patience);

/// Waits without keeping the core busy: with more ranks than cores, a blocking call that spins costs
/// milliseconds a message.
void wait(MPI_Request& request);

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
