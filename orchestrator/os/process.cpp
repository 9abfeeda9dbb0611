#include "kernmill/os/process.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <thread>
#include <tuple>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/os/file_descriptor.hpp"

namespace kernmill {
namespace {

struct Stat {
  TreeMember who;
  int group = 0;
  [[nodiscard]] bool ended() const { return who.state == 'Z' || who.state == 'X'; }
};

/// The whole of a small file of /proc; nothing when it cannot be opened (the process has gone, or is
/// another's).
std::optional<std::string> read_if_open(int pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(file.get(), buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::string read_proc(int pid, const char* name) {
  return read_if_open(pid, name).value_or("");
}

std::optional<Stat> read_stat(int pid) {
  const std::string text = read_proc(pid, "stat");
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  Stat stat;
  stat.who.pid = pid;
  stat.who.program = text.substr(open + 1, close - open - 1);
  unsigned long long start = 0, user = 0, system = 0;
  long long user_of_children = 0, system_of_children = 0;
  // state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime priority
  // nice threads itrealvalue starttime
  if (std::sscanf(text.c_str() + close + 1,
                  " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %*d %*d %llu",
                  &stat.who.state, &stat.who.parent, &stat.group, &user, &system, &user_of_children,
                  &system_of_children, &start) != 8)
    return std::nullopt;
  stat.who.start_time = start;
  stat.who.ticks = user + system + static_cast<std::uint64_t>(user_of_children + system_of_children);
  return stat;
}

std::vector<Stat> living_processes() {
  std::vector<Stat> result;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (code != std::errc{} || *end != '\0') continue;
    if (const auto stat = read_stat(pid); stat && !stat->ended()) result.push_back(*stat);
  }
  return result;
}

/// Whether the process has no environment yet: it is in the middle of an exec (its memory has no bounds of an
/// environment, field 51 of stat). Kernel threads never have one.
bool is_becoming_another_program(int pid) {
  const std::string text = read_proc(pid, "stat");
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string state, field;
  unsigned long flags = 0;
  fields >> state;  // field 3
  for (int number = 4; number <= 51 && fields >> field; ++number)
    if (number == 9) flags = std::strtoul(field.c_str(), nullptr, 10);
  constexpr unsigned long kernel_thread = 0x00200000;
  return fields && state != "Z" && state != "X" && (flags & kernel_thread) == 0 && field == "0";
}

bool holds_token(int pid, const std::string& token) {
  auto environment = read_if_open(pid, "environ");
  // Missing a process because it is just being started would leave it running: look again, for a second at
  // most.
  for (int i = 0; environment && environment->empty() && i < 1000 && is_becoming_another_program(pid); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    environment = read_if_open(pid, "environ");
  }
  if (!environment) return false;
  std::string wanted = '\0' + ("KERNMILL_TOKEN=" + token);
  if (!token.ends_with('/')) wanted += '\0';
  return ('\0' + *environment).find(wanted) != std::string::npos;
}

/// Adds whoever has a member as its parent or the leader of its group, until nobody is added.
void close_over(const std::vector<Stat>& processes, std::set<int>& members) {
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& process : processes)
      if (!members.contains(process.who.pid) &&
          (members.contains(process.who.parent) || members.contains(process.group)))
        grew = members.insert(process.who.pid).second;
  }
}

/// This process, and those that it descends from.
std::set<int> self_and_ancestors(const std::vector<Stat>& processes) {
  std::map<int, int> parents;
  for (const Stat& process : processes) parents[process.who.pid] = process.who.parent;
  std::set<int> line;
  for (int pid = ::getpid(); pid > 0 && line.insert(pid).second;)
    pid = parents.contains(pid) ? parents.at(pid) : 0;
  return line;
}

FileDescriptor open_pidfd(int pid) {
  return FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

/// A handle on exactly that process: the check after opening shuts out a later owner of the number.
FileDescriptor open_process(int pid, std::uint64_t start_time) {
  FileDescriptor handle = open_pidfd(pid);
  if (handle && !is_alive(pid, start_time)) handle.reset();
  return handle;
}

bool send(const FileDescriptor& process, int signal) {
  return process && ::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) == 0;
}

using Clock = std::chrono::steady_clock;

bool ends_before(const FileDescriptor& process, Clock::time_point latest) {
  pollfd entry{process.get(), POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(latest - Clock::now()).count();
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready != 0;
  }
}

}  // namespace

std::uint64_t start_time_of(int pid) {
  const auto stat = read_stat(pid);
  return stat ? stat->who.start_time : 0;
}

bool is_alive(int pid, std::uint64_t start_time) {
  const auto stat = pid > 0 ? read_stat(pid) : std::nullopt;
  return stat && stat->who.start_time == start_time && !stat->ended();
}

std::vector<TreeMember> find_tree(int pid, std::uint64_t start_time, const std::string& token) {
  return ProcessTable().tree(pid, start_time, token);
}

struct ProcessTable::Content {
  std::vector<Stat> processes;
  /// Whether a process holds a token, by what tells it from others; another program may hold another.
  std::map<std::tuple<int, std::uint64_t, std::string, std::string>, bool> holders;

  bool is_holder(const TreeMember& who, const std::string& token) {
    const auto [known, is_new] =
        holders.try_emplace({who.pid, who.start_time, who.program, token}, /*placeholder=*/false);
    if (is_new) known->second = holds_token(who.pid, token);
    return known->second;
  }
};

ProcessTable::ProcessTable() : content_(std::make_unique<Content>()) {
  refresh();
}

ProcessTable::~ProcessTable() = default;

void ProcessTable::refresh() {
  content_->processes = living_processes();
  std::set<std::pair<int, std::uint64_t>> alive;
  for (const Stat& process : content_->processes) alive.emplace(process.who.pid, process.who.start_time);
  std::erase_if(content_->holders, [&](const auto& entry) {
    return !alive.contains({std::get<0>(entry.first), std::get<1>(entry.first)});
  });
}

std::vector<TreeMember> ProcessTable::tree(int pid, std::uint64_t start_time, const std::string& token) {
  const std::vector<Stat>& processes = content_->processes;
  const std::set<int> spared = self_and_ancestors(processes);
  std::set<int> members;
  // A root that has ended but is not reaped yet still leads its group.
  if (pid > 0 && !spared.contains(pid) && start_time_of(pid) == start_time && start_time != 0)
    members.insert(pid);
  for (const auto& process : processes)
    if (!token.empty() && !spared.contains(process.who.pid) && content_->is_holder(process.who, token))
      members.insert(process.who.pid);
  close_over(processes, members);
  for (const int one : spared) members.erase(one);
  std::vector<TreeMember> result;
  for (const auto& process : processes)
    if (members.contains(process.who.pid)) result.push_back(process.who);
  return result;
}

bool signal_process(int pid, std::uint64_t start_time, int signal) {
  return send(open_process(pid, start_time), signal);
}

int signal_tree(int pid, std::uint64_t start_time, const std::string& token, int signal) {
  int count = 0;
  for (const auto& member : find_tree(pid, start_time, token))
    count += signal_process(member.pid, member.start_time, signal) ? 1 : 0;
  return count;
}

std::vector<TreeMember> end_tree(int pid, std::uint64_t start_time, const std::string& token,
                                 std::chrono::milliseconds limit) {
  const Clock::time_point latest = Clock::now() + limit;
  for (;;) {
    std::vector<std::pair<TreeMember, FileDescriptor>> ending;
    for (const auto& member : find_tree(pid, start_time, token)) {
      FileDescriptor process = open_process(member.pid, member.start_time);
      // Not ours to end (another user's): waiting for it would be for ever.
      if (send(process, SIGKILL)) ending.emplace_back(member, std::move(process));
    }
    if (ending.empty()) return {};
    std::vector<TreeMember> left;
    for (const auto& [member, process] : ending)
      if (!ends_before(process, latest)) left.push_back(member);
    if (!left.empty()) return left;
  }
}

std::string still_there_text(const std::vector<TreeMember>& left) {
  std::string text;
  for (const TreeMember& member : left) {
    const auto now = read_stat(member.pid);
    const bool is_same = now && now->who.start_time == member.start_time;
    text += fmt::format("{}process {} ({}, state {})", text.empty() ? "" : ", ", member.pid, member.program,
                        is_same ? now->who.state : member.state);
  }
  if (!text.empty())
    text += fmt::format(
        " on {} did not end within {} s of SIGKILL: the kernel holds {}, most likely for a disk or a file "
        "system that does not answer",
        host_name(), longest_end.count(), left.size() == 1 ? "it" : "them");
  return text;
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::optional<std::vector<int>> children() {
  const auto text = read_if_open(::getpid(), fmt::format("task/{}/children", ::getpid()).c_str());
  if (!text) return {};
  std::istringstream words(*text);
  return std::vector<int>(std::istream_iterator<int>(words), {});
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

}  // namespace kernmill
