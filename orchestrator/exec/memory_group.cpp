#include "kernmill/exec/memory_group.hpp"

#include <fstream>
#include <string>

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

/// The file with the counter: memory.events (cgroup v2) or memory.oom_control (v1).
fs::path find_events() {
  std::ifstream groups("/proc/self/cgroup");
  fs::path version_2;
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      group = line.substr(second + 1);
    if (controllers == "memory") return "/sys/fs/cgroup/memory" + group + "/memory.oom_control";
    if (controllers.empty()) version_2 = "/sys/fs/cgroup" + group + "/memory.events";
  }
  return version_2;
}

}  // namespace

MemoryGroup::MemoryGroup() : events_(find_events()), before_(kills()) {}

std::uint64_t MemoryGroup::kills() const {
  std::ifstream events(events_);
  std::string name;
  for (std::uint64_t value = 0; events >> name >> value;)
    if (name == "oom_kill") return value;
  return 0;
}

bool MemoryGroup::has_lost_a_process() const {
  return kills() > before_;
}

}  // namespace kernmill::exec
