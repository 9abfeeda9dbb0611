#include "kernmill/tasks/learn/rows/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include <sched.h>
#include <unistd.h>

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

std::uint64_t available_to_all(const fs::path& root) {
  std::ifstream in(root / "proc/meminfo");
  std::string name;
  for (std::uint64_t kilobytes = 0; in >> name >> kilobytes; std::getline(in, name))
    if (name == "MemAvailable:") return kilobytes << 10U;
  return no_limit;
}

/// The file's number; "max", or no file, is no limit.
std::uint64_t number_in(const fs::path& file) {
  std::uint64_t number = 0;
  return std::ifstream(file) >> number ? number : no_limit;
}

/// The least limit of a group and those above it.
std::uint64_t limit_of(const fs::path& hierarchy, std::string group, const char* file) {
  std::uint64_t least = no_limit;
  while (true) {
    least = std::min(least, number_in(fs::path(hierarchy.string() + group) / file));
    const std::size_t slash = group.rfind('/');
    if (group.empty() || slash == std::string::npos) return least;
    group.resize(slash);
  }
}

/// Lines of /proc/self/cgroup: `0::/GROUP` of version 2, `N:CONTROLLERS:/GROUP` of version 1.
std::uint64_t limit_of_groups(const fs::path& root) {
  std::ifstream in(root / "proc/self/cgroup");
  std::uint64_t least = no_limit;
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") least = std::min(least, limit_of(root / "sys/fs/cgroup", group, "memory.max"));
    if (controllers.find(",memory,") != std::string::npos)
      least = std::min(least, limit_of(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

/// One in how many of the node's cores this process may use.
std::uint64_t one_core_in() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const long all = sysconf(_SC_NPROCESSORS_ONLN);
  if (sched_getaffinity(0, sizeof(set), &set) != 0 || all < 1) return 1;
  return static_cast<std::uint64_t>(all) / static_cast<std::uint64_t>(std::max(1, CPU_COUNT(&set)));
}

}  // namespace

std::uint64_t available_memory(const fs::path& root) {
  return std::min(available_to_all(root), limit_of_groups(root));
}

std::uint64_t memory_for_rows(const Communicator& comm) {
  const auto ranks = static_cast<std::uint64_t>(comm.ranks_on_node());
  return available_memory() / std::max({std::uint64_t{1}, ranks, one_core_in()}) / 2;
}

}  // namespace kernmill::tasks
