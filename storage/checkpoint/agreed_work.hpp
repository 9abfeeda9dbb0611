#pragma once
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "kernmill/storage/file/agreement.hpp"

/// Private to storage/.
namespace kernmill::storage {

/// Work of a rank's own thread, and then what all ranks' work came to. No call waits.
class AgreedWork {
 public:
  explicit AgreedWork(MPI_Comm comm) : comm_(comm) {}

  void launch(const std::function<void()>& work) {
    error_.clear();
    running_ = std::async(std::launch::async, [work]() -> std::optional<std::string> {
      try {
        work();
        return std::nullopt;
      } catch (const std::exception& e) {
        return e.what();
      }
    });
  }

  [[nodiscard]] bool ended_here() const {
    return !running_.valid() || running_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  /// For loops that ask again: leaves the cores to this rank's own thread while it works, and to the messages
  /// of the others then.
  void rest() const {
    constexpr std::chrono::milliseconds moment{1};
    if (running_.valid())
      running_.wait_for(moment);
    else
      std::this_thread::yield();
  }
  /// Whether all ranks' work has ended. Then `error` is the lowest failed rank's, on every rank.
  bool settled() {
    if (!ended_here()) return false;
    if (running_.valid()) {
      const auto failed = running_.get();
      error_ = failed.value_or("");
      first_failed_ = failed ? rank_in(comm_) : size_of(comm_);
      MPI_Iallreduce(MPI_IN_PLACE, &first_failed_, 1, MPI_INT, MPI_MIN, comm_, &agreement_);
    }
    int done = 0;
    MPI_Test(&agreement_, &done, MPI_STATUS_IGNORE);
    if (done && first_failed_ < size_of(comm_)) broadcast(comm_, error_, first_failed_);
    return done != 0;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  MPI_Comm comm_;
  std::future<std::optional<std::string>> running_;  ///< gives the error
  MPI_Request agreement_ = MPI_REQUEST_NULL;
  int first_failed_ = 0;
  std::string error_;
};

}  // namespace kernmill::storage
