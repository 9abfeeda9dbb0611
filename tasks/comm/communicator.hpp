#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <mpi.h>

namespace kernmill::tasks {

struct Failure;

enum class Reduction { sum, min, max };

/// Sums that are being made, or messages on their way.
class PendingMessages {
 public:
  void wait();
  /// Lets MPI go on with it.
  void poll();

 private:
  friend class Communicator;
  std::vector<MPI_Request> requests_;
};

/// What goes to each rank, and what comes from each.
template <class T>
using Sent = std::span<const std::span<const T>>;
template <class T>
using Received = std::span<const std::span<T>>;

/// The ranks that work on one thing together, and the only place where tasks talk MPI. Methods are collective
/// over the communicator unless they say otherwise. Waiting yields the core, so that more ranks than cores
/// still make progress. The element types are int, std::int64_t, std::uint64_t, float, double and char.
class Communicator {
 public:
  /// Duplicates `comm`, so that our messages never meet somebody else's.
  explicit Communicator(MPI_Comm comm);
  ~Communicator();
  Communicator(Communicator&& other) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  Communicator& operator=(Communicator&&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool is_root() const { return rank_ == 0; }
  [[nodiscard]] MPI_Comm handle() const { return comm_; }
  /// "MPICH Version: 4.0.2": the first line of what the library says of itself. Not collective.
  [[nodiscard]] static std::string library_version();

  /// In place. The result is the same on every rank; the order of a floating-point sum is MPI's own.
  template <class T>
  void allreduce(std::span<T> values, Reduction reduction) const;
  template <class T>
  requires std::is_arithmetic_v<T>
  [[nodiscard]] T allreduce(T value, Reduction reduction) const {
    allreduce(std::span<T>(&value, 1), reduction);
    return value;
  }
  /// In place: the sums over the lower ranks; zeros on rank 0.
  template <class T>
  void exscan(std::span<T> values) const;
  template <class T>
  requires std::is_arithmetic_v<T>
  [[nodiscard]] T exscan(T value) const {
    exscan(std::span<T>(&value, 1));
    return value;
  }
  /// Everybody's values, in the order of the ranks. Ranks may give different numbers of values.
  template <class T>
  [[nodiscard]] std::vector<T> allgatherv(std::span<const T> values) const;
  /// The same where every rank knows how many values each gives: one message round instead of two.
  template <class T>
  [[nodiscard]] std::vector<T> allgatherv(std::span<const T> values,
                                          std::span<const std::uint64_t> counts) const;
  /// The memory for them is there, too.
  template <class T>
  void allgatherv(std::span<const T> values, std::span<T> all, std::span<const std::uint64_t> counts) const;
  /// Every rank gives each other rank `to[rank]` values, which stand behind each other in `values`, and gets
  /// what the others gave it, in the order of the ranks; `from` says how many from each.
  template <class T>
  [[nodiscard]] std::vector<T> alltoallv(std::span<const T> values, std::span<const std::uint64_t> to,
                                         std::vector<std::uint64_t>& from) const;
  /// Each rank gives each other one `to[rank]`, and gets `from[rank]`; what is its own stays where it is. All
  /// know each other's lengths.
  template <class T>
  void exchange(Sent<T> to, Received<T> from) const;
  /// In place: each rank has its own of the parts of `all`, which lie behind each other, and gets the others.
  template <class T>
  void complete(std::span<T> all, std::span<const std::uint64_t> counts) const;
  /// Begins a sum in place, which goes on meanwhile; `pending` waits for it, and has to be called.
  template <class T>
  [[nodiscard]] PendingMessages begin_allreduce(std::span<T> values) const;
  template <class T>
  void bcast(std::span<T> values, int root = 0) const;
  /// The length travels too.
  void bcast(std::string& text, int root = 0) const;
  /// Point to point; not collective.
  template <class T>
  void send(std::span<const T> values, int to) const;
  template <class T>
  void receive(std::span<T> values, int from) const;
  /// How long this rank has waited in the methods above so far, in seconds: for messages, and for the ranks
  /// that were not there yet. Of one thread.
  [[nodiscard]] double seconds_waited() const { return waited_; }
  /// Begins a message, whose values have to stay until `wait` of the result, which has to be called.
  template <class T>
  [[nodiscard]] PendingMessages begin_send(std::span<const T> values, int to) const;
  /// How many of the ranks share this one's memory.
  [[nodiscard]] int ranks_on_node() const;
  /// Ranks of equal colour form a new communicator, ordered by key, then by rank.
  [[nodiscard]] Communicator split(int color, int key) const;

  /// Runs `work`, which must not communicate, on every rank. When any rank throws, every rank throws the
  /// lowest rank's error as a TaskError with the same text (storage::Error and std::bad_alloc included).
  void agree(const std::function<void()>& work) const;
  /// The lowest rank's failure; none where no rank has one.
  [[nodiscard]] Failure lowest(const Failure& own) const;

 private:
  struct Adopt {};
  Communicator(MPI_Comm comm, Adopt);
  MPI_Comm comm_;
  int rank_ = 0;
  int size_ = 1;
  mutable double waited_ = 0;
};

}  // namespace kernmill::tasks
