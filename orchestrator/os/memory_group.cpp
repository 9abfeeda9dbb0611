#include "kernmill/os/memory_group.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

/// "/slurm.../job_12/step_batch/..." -> "/slurm.../job_12".
std::string of_whole_job(const std::string& group) {
  const std::size_t job = group.find("/job_");
  return job == std::string::npos ? group : group.substr(0, group.find('/', job + 1));
}

std::string own_groups() {
  std::ifstream file("/proc/self/cgroup");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

fs::path memory_events_file(const fs::path& root, const std::string& groups) {
  std::istringstream lines(groups);
  fs::path version_2;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      group = of_whole_job(line.substr(second + 1));
    if (controllers == "memory") return root.string() + "/memory" + group + "/memory.oom_control";
    if (controllers.empty()) version_2 = root.string() + group + "/memory.events";
  }
  return version_2;
}

MemoryGroup::MemoryGroup() : MemoryGroup(memory_events_file("/sys/fs/cgroup", own_groups())) {}

MemoryGroup::MemoryGroup(fs::path events) : events_(std::move(events)), before_(kills()) {}

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

std::uint64_t MemoryGroup::peak() const {
  const std::string group = events_.parent_path().filename().string();
  if (!group.starts_with("job_")) return 0;  // a login session's, a container's
  const bool version_2 = events_.filename() == "memory.events";
  std::ifstream file(events_.parent_path() / (version_2 ? "memory.peak" : "memory.max_usage_in_bytes"));
  std::uint64_t bytes = 0;
  return file >> bytes ? bytes : 0;
}

}  // namespace kernmill::exec
