#include "kernmill/tasks/comm/communicator.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <exception>
#include <numeric>
#include <stdexcept>

#include "kernmill/storage/file/agreement.hpp"
#include "kernmill/tasks/comm/failure.hpp"

namespace kernmill::tasks {
namespace {

using storage::wait;

template <class T>
MPI_Datatype type_of();
template <>
MPI_Datatype type_of<int>() {
  return MPI_INT;
}
template <>
MPI_Datatype type_of<std::int64_t>() {
  return MPI_INT64_T;
}
template <>
MPI_Datatype type_of<std::uint64_t>() {
  return MPI_UINT64_T;
}
template <>
MPI_Datatype type_of<float>() {
  return MPI_FLOAT;
}
template <>
MPI_Datatype type_of<double>() {
  return MPI_DOUBLE;
}
template <>
MPI_Datatype type_of<char>() {
  return MPI_CHAR;
}

MPI_Op op_of(Reduction reduction) {
  switch (reduction) {
    case Reduction::min:
      return MPI_MIN;
    case Reduction::max:
      return MPI_MAX;
    default:
      return MPI_SUM;
  }
}

// MPI counts are ints: longer spans travel in pieces of this many elements.
constexpr std::size_t piece = std::size_t{1} << 27;

template <class T, class Call>
void for_pieces(std::span<T> values, const Call& call) {
  for (std::size_t at = 0; at < values.size(); at += piece)
    call(values.data() + at, static_cast<int>(std::min(piece, values.size() - at)));
}

template <class T, class Call>
void in_pieces(std::span<T> values, const Call& call) {
  for_pieces(values, [&](T* data, int n) {
    MPI_Request request;
    call(data, n, &request);
    wait(request);
  });
}

/// As MPI takes them, behind each other.
struct Parts {
  std::vector<int> lengths, offsets;
  explicit Parts(std::span<const std::uint64_t> counts)
      : lengths(counts.begin(), counts.end()), offsets(counts.size()) {
    const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    if (total > INT_MAX) throw std::length_error("more than 2^31 elements in a message of all ranks");
    std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
  }
};

/// Adds the time until its end.
class Waiting {
 public:
  explicit Waiting(double& total) : total_(total) {}
  ~Waiting() { total_ += std::chrono::duration<double>(Clock::now() - begun_).count(); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& total_;
  Clock::time_point begun_ = Clock::now();
};

}  // namespace

Communicator::Communicator(MPI_Comm comm, Adopt) : comm_(comm) {
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
}

static MPI_Comm duplicate(MPI_Comm comm) {
  MPI_Comm copy;
  MPI_Comm_dup(comm, &copy);
  return copy;
}

Communicator::Communicator(MPI_Comm comm) : Communicator(duplicate(comm), Adopt{}) {}

std::string Communicator::library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  std::string line(text.data(), static_cast<std::size_t>(length));
  line.resize(std::min(line.find('\n'), line.size()));
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)), rank_(other.rank_), size_(other.size_) {}

Communicator::~Communicator() {
  if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
}

// MPICH before 4.1 compares unsigned numbers as signed ones (https://github.com/pmodels/mpich/issues/6083):
// with the highest bit flipped, that is their order.
template <class T>
void Communicator::allreduce(std::span<T> values, Reduction reduction) const {
  const Waiting waiting(waited_);
  constexpr bool is_unsigned = std::is_same_v<T, std::uint64_t>;
  const bool flipped = is_unsigned && reduction != Reduction::sum;
  const auto flip_highest_bits = [&] {
    if constexpr (is_unsigned)
      if (flipped)
        for (T& value : values) value ^= T{1} << 63U;
  };
  flip_highest_bits();
  in_pieces(values, [&](T* data, int n, MPI_Request* request) {
    MPI_Iallreduce(MPI_IN_PLACE, data, n, flipped ? MPI_INT64_T : type_of<T>(), op_of(reduction), comm_,
                   request);
  });
  flip_highest_bits();
}

template <class T>
void Communicator::exscan(std::span<T> values) const {
  const Waiting waiting(waited_);
  std::vector<T> below(values.size(), T{});
  MPI_Request request;
  MPI_Iexscan(values.data(), below.data(), static_cast<int>(values.size()), type_of<T>(), MPI_SUM, comm_,
              &request);
  wait(request);
  if (rank_ == 0) below.assign(values.size(), T{});  // MPI leaves rank 0's undefined
  std::copy(below.begin(), below.end(), values.begin());
}

template <class T>
std::vector<T> Communicator::allgatherv(std::span<const T> values) const {
  std::vector<std::uint64_t> counts(static_cast<std::size_t>(size_), 0);
  counts[static_cast<std::size_t>(rank_)] = values.size();
  allreduce(std::span(counts), Reduction::sum);
  return allgatherv(values, std::span<const std::uint64_t>(counts));
}

template <class T>
std::vector<T> Communicator::allgatherv(std::span<const T> values,
                                        std::span<const std::uint64_t> counts) const {
  std::vector<T> all(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  allgatherv(values, std::span(all), counts);
  return all;
}

template <class T>
std::vector<T> Communicator::alltoallv(std::span<const T> values, std::span<const std::uint64_t> to,
                                       std::vector<std::uint64_t>& from) const {
  const Waiting waiting(waited_);
  from.assign(to.size(), 0);
  MPI_Request request;
  MPI_Ialltoall(to.data(), 1, type_of<std::uint64_t>(), from.data(), 1, type_of<std::uint64_t>(), comm_,
                &request);
  wait(request);
  const Parts send(to), receive(from);
  std::vector<T> all(std::accumulate(from.begin(), from.end(), std::uint64_t{0}));
  MPI_Ialltoallv(values.data(), send.lengths.data(), send.offsets.data(), type_of<T>(), all.data(),
                 receive.lengths.data(), receive.offsets.data(), type_of<T>(), comm_, &request);
  wait(request);
  return all;
}

// So many messages each way are on their way at a time.
static constexpr int most_at_once = 32;

template <class T>
void Communicator::exchange(Sent<T> to, Received<T> from) const {
  const Waiting waiting(waited_);
  for (int first = 1; first < size_; first += most_at_once) {
    PendingMessages pending;
    const int last = std::min(first + most_at_once, size_);
    for (int step = first; step < last; ++step) {
      const int source = (rank_ - step + size_) % size_;
      for_pieces(from[static_cast<std::size_t>(source)], [&](T* data, int n) {
        MPI_Irecv(data, n, type_of<T>(), source, 0, comm_, &pending.requests_.emplace_back());
      });
    }
    for (int step = first; step < last; ++step) {
      const int target = (rank_ + step) % size_;
      for_pieces(to[static_cast<std::size_t>(target)], [&](const T* data, int n) {
        MPI_Isend(data, n, type_of<T>(), target, 0, comm_, &pending.requests_.emplace_back());
      });
    }
    pending.wait();
  }
}

template <class T>
void Communicator::allgatherv(std::span<const T> values, std::span<T> all,
                              std::span<const std::uint64_t> counts) const {
  const Waiting waiting(waited_);
  const Parts parts(counts);
  MPI_Request request;
  MPI_Iallgatherv(values.data(), static_cast<int>(values.size()), type_of<T>(), all.data(),
                  parts.lengths.data(), parts.offsets.data(), type_of<T>(), comm_, &request);
  wait(request);
}

template <class T>
void Communicator::complete(std::span<T> all, std::span<const std::uint64_t> counts) const {
  if (size_ <= most_at_once) {  // each copy once, and no detour
    std::vector<std::span<T>> parts;
    for (std::size_t at = 0; const std::uint64_t count : counts) {
      parts.push_back(all.subspan(at, count));
      at += count;
    }
    const std::vector<std::span<const T>> own(parts.size(), parts[static_cast<std::size_t>(rank_)]);
    return exchange<T>(own, parts);
  }
  const Waiting waiting(waited_);
  const Parts parts(counts);
  MPI_Request request;
  MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all.data(), parts.lengths.data(), parts.offsets.data(),
                  type_of<T>(), comm_, &request);
  wait(request);
}

template <class T>
PendingMessages Communicator::begin_allreduce(std::span<T> values) const {
  PendingMessages pending;
  for_pieces(values, [&](T* data, int n) {
    MPI_Iallreduce(MPI_IN_PLACE, data, n, type_of<T>(), MPI_SUM, comm_, &pending.requests_.emplace_back());
  });
  return pending;
}

void PendingMessages::wait() {
  for (MPI_Request& request : requests_) storage::wait(request);
  requests_.clear();
}

void PendingMessages::poll() {
  int done = 0;
  for (MPI_Request& request : requests_) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
}

template <class T>
void Communicator::bcast(std::span<T> values, int root) const {
  const Waiting waiting(waited_);
  in_pieces(values, [&](T* data, int n, MPI_Request* request) {
    MPI_Ibcast(data, n, type_of<T>(), root, comm_, request);
  });
}

void Communicator::bcast(std::string& text, int root) const {
  std::uint64_t length = text.size();
  bcast(std::span(&length, 1), root);
  text.resize(length);
  bcast(std::span(text.data(), text.size()), root);
}

template <class T>
void Communicator::send(std::span<const T> values, int to) const {
  const Waiting waiting(waited_);
  in_pieces(values, [&](const T* data, int n, MPI_Request* request) {
    MPI_Isend(data, n, type_of<T>(), to, 0, comm_, request);
  });
}

template <class T>
void Communicator::receive(std::span<T> values, int from) const {
  const Waiting waiting(waited_);
  in_pieces(values, [&](T* data, int n, MPI_Request* request) {
    MPI_Irecv(data, n, type_of<T>(), from, 0, comm_, request);
  });
}

template <class T>
PendingMessages Communicator::begin_send(std::span<const T> values, int to) const {
  PendingMessages pending;
  for_pieces(values, [&](const T* data, int n) {
    MPI_Isend(data, n, type_of<T>(), to, 0, comm_, &pending.requests_.emplace_back());
  });
  return pending;
}

int Communicator::ranks_on_node() const {
  MPI_Comm node;
  int ranks = 1;
  MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &ranks);
  MPI_Comm_free(&node);
  return ranks;
}

Communicator Communicator::split(int color, int key) const {
  MPI_Comm part;
  MPI_Comm_split(comm_, color, key, &part);
  return {part, Adopt{}};
}

void Communicator::agree(const std::function<void()>& work) const {
  if (const Failure failure = lowest(Failure::of(work))) failure.raise();
}

Failure Communicator::lowest(const Failure& own) const {
  const Waiting waiting(waited_);
  const std::string text = storage::lowest_text(comm_, own ? own.packed() : "");
  return text.empty() ? Failure{} : Failure::unpacked(text);
}

#define KERNMILL_INSTANTIATE(T)                                                                           \
  template void Communicator::allreduce<T>(std::span<T>, Reduction) const;                                \
  template void Communicator::exscan<T>(std::span<T>) const;                                              \
  template std::vector<T> Communicator::allgatherv<T>(std::span<const T>) const;                          \
  template std::vector<T> Communicator::allgatherv<T>(std::span<const T>, std::span<const std::uint64_t>) \
      const;                                                                                              \
  template void Communicator::allgatherv<T>(std::span<const T>, std::span<T>,                             \
                                            std::span<const std::uint64_t>) const;                        \
  template std::vector<T> Communicator::alltoallv<T>(std::span<const T>, std::span<const std::uint64_t>,  \
                                                     std::vector<std::uint64_t>&) const;                  \
  template void Communicator::exchange<T>(Sent<T>, Received<T>) const;                                    \
  template void Communicator::complete<T>(std::span<T>, std::span<const std::uint64_t>) const;            \
  template PendingMessages Communicator::begin_allreduce<T>(std::span<T>) const;                          \
  template void Communicator::bcast<T>(std::span<T>, int) const;                                          \
  template void Communicator::send<T>(std::span<const T>, int) const;                                     \
  template void Communicator::receive<T>(std::span<T>, int) const;                                        \
  template PendingMessages Communicator::begin_send<T>(std::span<const T>, int) const;
KERNMILL_INSTANTIATE(int)
KERNMILL_INSTANTIATE(std::int64_t)
KERNMILL_INSTANTIATE(std::uint64_t)
KERNMILL_INSTANTIATE(float)
KERNMILL_INSTANTIATE(double)
KERNMILL_INSTANTIATE(char)
#undef KERNMILL_INSTANTIATE

}  // namespace kernmill::tasks
