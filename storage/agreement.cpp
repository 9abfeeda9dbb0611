#include "kernmill/storage/agreement.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <thread>

#include "kernmill/storage/error.hpp"

namespace kernmill::storage {
namespace {

void wait(MPI_Request request) {  // without keeping the core busy
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    std::this_thread::yield();
  }
}

void broadcast_bytes(MPI_Comm comm, char* data, std::uint64_t size, int root) {
  constexpr std::uint64_t piece = std::uint64_t{1} << 30;
  for (std::uint64_t at = 0; at < size; at += piece) {
    MPI_Request request;
    MPI_Ibcast(data + at, static_cast<int>(std::min(piece, size - at)), MPI_CHAR, root, comm, &request);
    wait(request);
  }
}

void broadcast_from(MPI_Comm comm, std::string& text, int root) {
  std::uint64_t size = text.size();
  MPI_Request request;
  MPI_Ibcast(&size, 1, MPI_UINT64_T, root, comm, &request);
  wait(request);
  text.resize(size);
  broadcast_bytes(comm, text.data(), size, root);
}

std::optional<std::string> error_of(const std::function<void()>& work) {
  try {
    work();
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return "out of memory";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

int rank_in(MPI_Comm comm) {
  int rank = 0;
  MPI_Comm_rank(comm, &rank);
  return rank;
}

int size_of(MPI_Comm comm) {
  int size = 1;
  MPI_Comm_size(comm, &size);
  return size;
}

void agree(MPI_Comm comm, const std::function<void()>& work) {
  auto error = error_of(work);
  int first = error ? rank_in(comm) : size_of(comm);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, comm, &request);
  wait(request);
  if (first == size_of(comm)) return;
  std::string text = error.value_or("");
  broadcast_from(comm, text, first);
  throw Error(text);
}

void agree_on_root(MPI_Comm comm, const std::function<void()>& work) {
  agree(comm, [&] {
    if (rank_in(comm) == 0) work();
  });
}

void broadcast(MPI_Comm comm, std::string& text) {
  broadcast_from(comm, text, 0);
}

bool all_arrive(MPI_Comm comm, std::chrono::seconds patience) {
  MPI_Request request;
  MPI_Ibarrier(comm, &request);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
}

}  // namespace kernmill::storage
