#include "kernmill/slurm/spank/memory_watch.hpp"

#include <algorithm>
#include <fstream>

#include <signal.h>

namespace kernmill::spank {

std::uint64_t peak_memory(pid_t process, const std::string& proc) {
  std::ifstream status(proc + '/' + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

void MemoryWatch::add(pid_t process) {
  const std::lock_guard lock(mutex_);
  peaks_[process] = peak_memory(process);
  if (thread_.joinable()) return;
  sigset_t all, before;  // the signals of the process are none of this thread's business
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

std::uint64_t MemoryWatch::take(pid_t process) {
  const std::lock_guard lock(mutex_);
  const auto found = peaks_.find(process);
  if (found == peaks_.end()) return 0;
  const std::uint64_t peak = found->second;
  peaks_.erase(found);
  return peak;
}

void MemoryWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MemoryWatch::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval_, [this] { return is_stopping_; })) {
    // Exec gives a process a new memory: what counts is the newest reading that there was.
    for (auto& [process, peak] : peaks_) {
      if (const std::uint64_t now = peak_memory(process); now != 0) peak = now;
    }
  }
}

}  // namespace kernmill::spank
