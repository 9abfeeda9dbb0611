#include "kernmill/os/memory_watch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

std::string file_of(int pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

/// A line `name: N kB` of a file; 0 when there is none.
std::uint64_t bytes_in(const std::string& file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(name)) return 1024 * std::strtoull(line.c_str() + name.size(), nullptr, 10);
  return 0;
}

}  // namespace

std::vector<int> descendants(int pid) {
  std::vector<int> result{pid};
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::error_code gone;
    for (const auto& thread : fs::directory_iterator(file_of(result[i], "task"), gone)) {
      std::ifstream children(thread.path() / "children");
      for (int child = 0; children >> child;) result.push_back(child);
    }
  }
  return result;
}

bool MemoryWatch::is_exceeded(int pid) const {
  if (!is_on()) return false;
  std::vector<int> all = descendants(pid);
  all.push_back(::getpid());
  std::uint64_t sum = 0;
  for (const int one : all) sum += bytes_in(file_of(one, "status"), "RssAnon:");
  if (sum <= limit_) return false;
  std::uint64_t once = 0;  // with what is shared counted once: costly, hence only now
  for (const int one : all) {
    const std::uint64_t own = bytes_in(file_of(one, "smaps_rollup"), "Pss_Anon:");
    once += own > 0 ? own : bytes_in(file_of(one, "status"), "RssAnon:");
  }
  return once > limit_;
}

bool MemoryWatch::was_exceeded() const {
  return is_on() && peak_of_children() > limit_;
}

std::uint64_t peak_of_children() {
  rusage children{};
  return ::getrusage(RUSAGE_CHILDREN, &children) == 0 ? 1024 * static_cast<std::uint64_t>(children.ru_maxrss)
                                                      : 0;
}

}  // namespace kernmill::exec
