#include "kernmill/storage/file/agreement.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <numeric>
#include <thread>

#include "kernmill/storage/error.hpp"

namespace kernmill::storage {
namespace {

/// The text of an error, behind a letter that says which it is; empty: there is none.
std::string error_of(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const std::bad_alloc&) {
    return "Eout of memory";
  } catch (const KeyError& e) {
    return std::string("K") + e.what();
  } catch (const std::exception& e) {
    return std::string("E") + e.what();
  }
}

}  // namespace

void wait(MPI_Request& request) {
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    std::this_thread::yield();
  }
}

bool all_arrive(MPI_Comm comm, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  MPI_Request request;
  MPI_Ibarrier(comm, &request);
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
}

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
  const std::string text = lowest_text(comm, error_of(work));
  if (text.empty()) return;
  if (text.front() == 'K') throw KeyError(text.substr(1));
  throw Error(text.substr(1));
}

std::string lowest_text(MPI_Comm comm, std::string own) {
  int lowest = own.empty() ? size_of(comm) : rank_in(comm);
  MPI_Request request;
  MPI_Iallreduce(MPI_IN_PLACE, &lowest, 1, MPI_INT, MPI_MIN, comm, &request);
  wait(request);
  if (lowest == size_of(comm)) return {};
  broadcast(comm, own, lowest);
  return own;
}

void agree_on_root(MPI_Comm comm, const std::function<void()>& work) {
  agree(comm, [&] {
    if (rank_in(comm) == 0) work();
  });
}

void broadcast(MPI_Comm comm, std::string& text, int root) {
  std::uint64_t size = text.size();
  MPI_Request request;
  MPI_Ibcast(&size, 1, MPI_UINT64_T, root, comm, &request);
  wait(request);
  text.resize(size);
  broadcast(comm, std::as_writable_bytes(std::span(text)), root);
}

void broadcast(MPI_Comm comm, std::span<std::byte> bytes, int root) {
  constexpr std::size_t piece = std::size_t{1} << 30;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size()))) {
    MPI_Request request;
    MPI_Ibcast(bytes.data(), static_cast<int>(std::min(piece, bytes.size())), MPI_BYTE, root, comm, &request);
    wait(request);
  }
}

std::vector<std::string> gather_texts(MPI_Comm comm, const std::string& own) {
  MPI_Request request;
  std::vector<int> lengths(static_cast<std::size_t>(size_of(comm)));
  const int length = static_cast<int>(own.size());
  MPI_Iallgather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, comm, &request);
  wait(request);
  std::vector<int> offsets(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), offsets.begin(), 0);
  std::string all(static_cast<std::size_t>(offsets.back() + lengths.back()), '\0');
  MPI_Iallgatherv(own.data(), length, MPI_CHAR, all.data(), lengths.data(), offsets.data(), MPI_CHAR, comm,
                  &request);
  wait(request);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    texts.push_back(all.substr(static_cast<std::size_t>(offsets[i]), static_cast<std::size_t>(lengths[i])));
  return texts;
}

}  // namespace kernmill::storage
