#include "kernmill/exec/attempt/stop_call.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>

#include <fmt/format.h>

namespace kernmill::exec {
namespace {

using Members = std::vector<TreeMember>;

template <std::size_t count>
bool is_one_of(const std::string& program, const std::array<const char*, count>& names) {
  return std::find(names.begin(), names.end(), program) != names.end();
}

bool starts_ranks(const TreeMember& member) {  // names as the kernel keeps them: 15 characters
  constexpr std::array names{"mpiexec", "mpirun",  "mpiexec.hydra", "hydra_pmi_proxy", "srun",
                             "orterun", "prterun", "orted",         "prted",           "mpiexec.mpich"};
  return is_one_of(member.program, names);
}

bool is_shell(const TreeMember& member) {
  constexpr std::array names{"bash", "sh", "dash", "ksh", "zsh"};
  return is_one_of(member.program, names);
}

/// Whether the process has a handler for the signal (SigCgt of /proc/PID/status).
bool catches(const TreeMember& member, int signal) {
  std::ifstream status(fmt::format("/proc/{}/status", member.pid));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("SigCgt:"))
      return ((std::strtoull(line.c_str() + std::strlen("SigCgt:"), nullptr, 16) >> (signal - 1)) & 1) != 0;
  return false;
}

bool send(const TreeMember& member, int signal) {
  return signal_process(member.pid, member.start_time, signal);
}

bool has_child(const TreeMember& member, const Members& members) {
  return std::any_of(members.begin(), members.end(),
                     [&](const TreeMember& other) { return other.parent == member.pid; });
}

/// A shell hears a signal when the program that it waits for has ended.
void end_what_shells_wait_for(const Members& listeners, const Members& members) {
  std::set<int> shells;
  for (const TreeMember& listener : listeners)
    if (is_shell(listener)) shells.insert(listener.pid);
  for (const TreeMember& member : members) {
    const bool listens = std::any_of(listeners.begin(), listeners.end(),
                                     [&](const TreeMember& one) { return one.pid == member.pid; });
    if (shells.contains(member.parent) && !listens && !starts_ranks(member)) send(member, SIGTERM);
  }
}

Members without(const Members& members, const Members& others) {
  Members left;
  for (const TreeMember& member : members)
    if (std::none_of(others.begin(), others.end(),
                     [&](const TreeMember& other) { return other.pid == member.pid; }))
      left.push_back(member);
  return left;
}

}  // namespace

bool ask_command_to_stop(const StopCall& call, int pid, std::uint64_t start_time, const std::string& token) {
  Members members = find_tree(pid, start_time, token), ranks;
  const bool has_srun = std::any_of(members.begin(), members.end(),
                                    [](const TreeMember& member) { return member.program == "srun"; });
  if (has_srun && call.signal_ranks) {  // those on this node are no children of srun; it is told of all
    const Members own = find_tree(pid, start_time, "");
    ranks = without(members, own);
    members = own;
  }
  Members listeners;
  for (const TreeMember& member : members)
    if (!starts_ranks(member) && catches(member, call.signal)) listeners.push_back(member);
  const bool ranks_listen = std::any_of(ranks.begin(), ranks.end(),
                                        [&](const TreeMember& rank) { return catches(rank, call.signal); });
  bool reached = false;
  for (const TreeMember& listener : listeners) reached |= send(listener, call.signal);
  if (ranks_listen) reached |= call.signal_ranks(call.signal);
  if (!call.is_order) return reached;
  if (reached) return end_what_shells_wait_for(listeners, members), true;
  if (!ranks.empty()) reached = call.signal_ranks(SIGTERM);
  for (const TreeMember& member : members) {
    const bool waits = is_shell(member) && has_child(member, members) && !catches(member, SIGTERM);
    if (!waits && !(call.spares_launchers && starts_ranks(member))) reached |= send(member, SIGTERM);
  }
  return reached;
}

int number_of_signal(const std::string& name) {
  for (int signal = 1; !name.empty() && signal < NSIG; ++signal)
    if (const char* known = ::sigabbrev_np(signal); known != nullptr && name == known) return signal;
  return SIGTERM;
}

}  // namespace kernmill::exec
