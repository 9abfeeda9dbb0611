#include "kernmill/exec/stall/signs_of_life.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t most_entries = 4'000;

void add(std::string& look, const fs::directory_entry& entry) {
  std::error_code none;
  look += fmt::format("{} {} {}\n", entry.path().filename().string(),
                      entry.is_regular_file(none) ? entry.file_size(none) : 0,
                      entry.last_write_time(none).time_since_epoch().count());
}

void add_content(std::string& look, const fs::path& folder) {
  std::error_code none;
  std::size_t count = 0;
  for (fs::recursive_directory_iterator entry(folder, none), end; !none && entry != end;
       entry.increment(none)) {
    if (++count > most_entries) return;
    add(look, *entry);
  }
}

}  // namespace

SignsOfLife signs_of(const std::vector<TreeMember>& processes) {
  static const auto ticks_of_a_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  SignsOfLife signs;
  signs.is_seen = false;
  std::uint64_t ticks = 0;
  for (const TreeMember& process : processes) {
    ticks += process.ticks;
    signs.is_seen = signs.is_seen || process.program != "srun";
    signs.processes += fmt::format("{}@{} ", process.pid, process.start_time);
    signs.is_held = signs.is_held || process.state == 'T' || process.state == 't';
  }
  signs.cpu = milliseconds(1'000 * ticks / ticks_of_a_second);
  return signs;
}

std::string look_of(const std::vector<fs::path>& files_and_folders) {
  std::string look;
  for (const fs::path& path : files_and_folders) {
    std::error_code none;
    const fs::directory_entry entry(path, none);
    if (!none && entry.exists(none)) add(look, entry);
    if (entry.is_directory(none)) add_content(look, path);
  }
  return look;
}

milliseconds IdleTime::interval() const {
  return std::clamp(limit_ / 10, milliseconds(100), milliseconds(30'000));
}

milliseconds IdleTime::tolerance() const {
  return std::max(limit_ / 10'000, milliseconds(10));
}

bool IdleTime::is_alive(const SignsOfLife& signs) const {
  if (!signs.is_seen || signs.is_held || signs.processes != before_.processes || signs.files != before_.files)
    return true;
  return signs.cpu < before_.cpu || signs.cpu - before_.cpu > tolerance();
}

void IdleTime::look(Clock::time_point now, SignsOfLife signs) {
  const auto since = std::chrono::duration_cast<milliseconds>(now - last_look_);
  last_look_ = now;
  if (is_alive(signs)) {
    before_ = std::move(signs);
    return restart();
  }
  idle_ += std::min(since, 2 * interval());
}

}  // namespace kernmill::exec
