#include "kernmill/scheduler/local_scheduler.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

using Clock = std::chrono::steady_clock;

int usable_cores() {
  cpu_set_t set;
  // The call fails on machines with more cores than the set can name: count those that are online then.
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

std::uint64_t physical_memory() {
  return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string value_in(const std::vector<std::pair<std::string, std::string>>& env, std::string_view name) {
  for (const auto& [key, value] : env)
    if (key == name) return value;
  return {};
}

int milliseconds_until(const std::optional<Clock::time_point>& deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000));
}

/// poll(2) that an interrupting signal does not cut short.
void poll_until(std::vector<pollfd>& entries, std::optional<std::chrono::milliseconds> timeout) {
  std::optional<Clock::time_point> deadline;
  if (timeout) deadline = Clock::now() + *timeout;
  while (::poll(entries.data(), entries.size(), milliseconds_until(deadline)) < 0)
    if (errno != EINTR)
      throw std::runtime_error(fmt::format("cannot wait for jobs: {}", std::strerror(errno)));
}

}  // namespace

LocalScheduler::LocalScheduler(Options options) : options_(options) {
  if (options_.cores <= 0) options_.cores = usable_cores();
  if (options_.mem == 0) options_.mem = physical_memory();
}

bool LocalScheduler::exceeds_machine(int cores, std::uint64_t mem) const {
  return cores > options_.cores || mem > options_.mem;
}

bool LocalScheduler::has_room(const JobSpec& spec) const {
  if (jobs_.empty()) return true;
  int cores = std::max(1, spec.cores);
  std::uint64_t mem = spec.mem;
  for (const auto& [id, job] : jobs_) {
    if (exceeds_machine(job.cores, job.mem)) return false;
    cores += job.cores;
    mem += job.mem;
  }
  return !exceeds_machine(cores, mem);
}

void LocalScheduler::submit(const JobId& id, const JobSpec& spec) {
  if (jobs_.contains(id)) throw std::runtime_error(fmt::format("the job '{}' was submitted already", id));
  Job job;
  job.cores = std::max(1, spec.cores);
  job.mem = spec.mem;
  job.token = value_in(spec.env, "KERNMILL_TOKEN");
  SpawnOptions program{spec.argv, spec.env, spec.work_dir, spec.output, spec.output};
  program.input = spec.input;
  job.pid = spawn(program);
  job.start_time = start_time_of(job.pid);
  job.handle = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, job.pid, 0)));
  if (!job.handle) {
    const std::string why = std::strerror(errno);
    end_tree(job.pid, job.start_time, job.token);
    reap(job.pid);
    throw std::runtime_error(fmt::format(
        "cannot watch the job '{}': {}; the limit of open files (ulimit -n) may be too low, or the "
        "kernel older than Linux 5.3",
        id, why));
  }
  jobs_.emplace(id, std::move(job));
}

void LocalScheduler::cancel(const JobId& id, bool force) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  if (!force) {
    signal_process(job.pid, job.start_time, SIGTERM);
    return;
  }
  for (const TreeMember& left : end_tree(job.pid, job.start_time, job.token, options_.longest_end))
    job.is_stuck = job.is_stuck || left.pid == job.pid;
}

std::vector<JobEnd> LocalScheduler::wait(std::optional<std::chrono::milliseconds> timeout, int wake_fd) {
  if (jobs_.empty() && wake_fd < 0 && !timeout) return {};  // nothing could ever end this wait
  std::vector<pollfd> entries;
  std::vector<JobId> ids;
  for (const auto& [id, job] : jobs_) {
    entries.push_back({job.handle.get(), POLLIN, 0});
    ids.push_back(id);
    if (job.is_stuck) timeout = std::chrono::milliseconds(0);
  }
  entries.push_back({wake_fd, POLLIN, 0});  // poll skips a negative one
  poll_until(entries, timeout);
  std::vector<JobId> ended;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (entries[i].revents != 0 || jobs_.at(ids[i]).is_stuck) ended.push_back(ids[i]);
  return collect(ended);
}

std::vector<JobEnd> LocalScheduler::collect(const std::vector<JobId>& ended) {
  std::vector<JobEnd> result;
  for (const auto& id : ended) {
    const auto found = jobs_.find(id);
    const Job& job = found->second;
    result.push_back({id, job.is_stuck && is_alive(job.pid, job.start_time) ? 128 + SIGKILL : reap(job.pid)});
    jobs_.erase(found);
  }
  return result;
}

}  // namespace kernmill
