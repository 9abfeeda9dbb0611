#include "kernmill/tasks/comm/last_word.hpp"

#include <thread>

namespace kernmill::tasks {

std::optional<Failure> LastWord::exchange(const Failure& own, std::chrono::seconds patience) const {
  MPI_Request arrived;
  MPI_Ibarrier(channel_.handle(), &arrived);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (int all = 0; !all;) {
    MPI_Test(&arrived, &all, MPI_STATUS_IGNORE);
    if (!all && own && std::chrono::steady_clock::now() > deadline) return std::nullopt;
    std::this_thread::yield();
  }
  return channel_.lowest(own);
}

}  // namespace kernmill::tasks
