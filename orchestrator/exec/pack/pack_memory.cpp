#include "kernmill/exec/pack/pack_memory.hpp"

#include <algorithm>
#include <fstream>
#include <string>

#include <unistd.h>

#include "kernmill/os/memory_watch.hpp"

namespace kernmill::exec {
namespace {

std::uint64_t resident(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t all = 0, pages = 0;
  return file >> all >> pages ? pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

/// What the control group of this process allows; 0: not known.
std::uint64_t group_limit() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controller = line.substr(first + 1, second - first - 1),
                      group = line.substr(second + 1);
    std::ifstream file(controller == "memory" ? "/sys/fs/cgroup/memory" + group + "/memory.limit_in_bytes"
                                              : "/sys/fs/cgroup" + group + "/memory.max");
    std::uint64_t bytes = 0;
    constexpr std::uint64_t without_limit = std::uint64_t{1} << 60;
    if ((controller.empty() || controller == "memory") && file >> bytes && bytes < without_limit)
      return bytes;
  }
  return 0;
}

}  // namespace

std::uint64_t memory_limit(std::uint64_t got, const Resources& asked) {
  const auto cores = static_cast<std::uint64_t>(std::max(1, asked.cores()));
  if (got == 0) got = asked.mem > 0 ? asked.mem : asked.mem_per_cpu * cores;
  const std::uint64_t group = group_limit();
  return got == 0 || group == 0 ? std::max(got, group) : std::min(got, group);
}

void spare_this_process() {
  std::ofstream("/proc/self/oom_score_adj") << -500;
}

std::uint64_t resident_memory(int root) {
  std::uint64_t sum = 0;
  for (const int member : descendants(root)) sum += resident(member);
  return sum;
}

std::chrono::milliseconds until_next_sample(std::uint64_t used, std::uint64_t limit, std::size_t running) {
  constexpr std::uint64_t bytes_per_millisecond = 1'000'000;  // what a process can fill at most, more or less
  const std::uint64_t left = limit > used ? limit - used : 0;
  const std::uint64_t time = left / (bytes_per_millisecond * std::max<std::size_t>(1, running));
  return std::chrono::milliseconds(std::clamp<std::uint64_t>(time, 30, 1'000));
}

}  // namespace kernmill::exec
