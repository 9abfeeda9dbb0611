#pragma once
#include <chrono>
#include <map>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/scheduler/scheduler.hpp"

namespace kernmill {

/// Starts jobs as processes of this machine, side by side as cores and memory allow. Jobs still running when
/// it is destroyed run on.
class LocalScheduler final : public Scheduler {
 public:
  struct Options {
    int cores = 0;          ///< 0: those that this process may run on
    std::uint64_t mem = 0;  ///< bytes; 0: all that the machine has
    std::chrono::milliseconds longest_end =
        kernmill::longest_end;  ///< of a job that is killed: then it is gone
  };
  explicit LocalScheduler(Options options);

  [[nodiscard]] bool has_room(const JobSpec& spec) const override;
  void submit(const JobId& id, const JobSpec& spec) override;
  void cancel(const JobId& id, bool force) override;
  std::vector<JobEnd> wait(std::optional<std::chrono::milliseconds> timeout, int wake_fd) override;

  [[nodiscard]] int cores() const { return options_.cores; }
  [[nodiscard]] std::uint64_t mem() const { return options_.mem; }

 private:
  struct Job {
    int pid = 0;
    std::uint64_t start_time = 0;
    FileDescriptor handle;  ///< a pidfd: readable once the process has ended
    int cores = 1;
    std::uint64_t mem = 0;
    std::string token;
    bool is_stuck = false;  ///< it cannot be ended: as good as gone
  };
  [[nodiscard]] bool exceeds_machine(int cores, std::uint64_t mem) const;
  std::vector<JobEnd> collect(const std::vector<JobId>& ended);

  Options options_;
  std::map<JobId, Job> jobs_;
};

}  // namespace kernmill
