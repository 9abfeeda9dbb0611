#include "kernmill/exec/pack_memory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

struct Process {
  int parent = 0, group = 0;
  std::uint64_t resident = 0;
};

bool read_process(int pid, Process& process) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text, '\0');
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return false;
  long pages = 0;
  // state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime priority
  // nice threads itrealvalue starttime vsize rss
  if (std::sscanf(text.c_str() + name_end + 1,
                  " %*c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %*u %ld",
                  &process.parent, &process.group, &pages) != 3)
    return false;
  process.resident =
      static_cast<std::uint64_t>(std::max(0L, pages)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return true;
}

std::map<int, Process> all_processes() {
  std::map<int, Process> processes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), pid);
    Process process;
    if (code == std::errc{} && *end == '\0' && read_process(pid, process)) processes[pid] = process;
  }
  return processes;
}

/// The root above a process; 0: none.
int root_of(int pid, const std::map<int, Process>& processes, const std::map<int, std::uint64_t>& roots) {
  for (int depth = 0; pid > 1 && depth < 1000; ++depth) {
    if (roots.contains(pid)) return pid;
    const auto found = processes.find(pid);
    if (found == processes.end()) return 0;
    if (roots.contains(found->second.group)) return found->second.group;
    pid = found->second.parent;
  }
  return 0;
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

std::map<int, std::uint64_t> resident_memory(const std::vector<int>& roots) {
  std::map<int, std::uint64_t> result;
  for (const int root : roots) result[root] = 0;
  const auto processes = all_processes();
  for (const auto& [pid, process] : processes)
    if (const int root = root_of(pid, processes, result); root != 0) result[root] += process.resident;
  return result;
}

}  // namespace kernmill::exec
