#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kernmill {

/// How a child process is started. It gets a process group of its own.
struct SpawnOptions {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment
  std::string work_dir;                                  ///< empty: this process's
  std::string out, err;                                  ///< files appended to; equal names share one file
};

/// Starts a program (argv[0] is looked up in the PATH of `env`). Throws std::runtime_error: what could not be
/// started, why, and the way out.
int spawn(const SpawnOptions& options);

/// Clock ticks since boot at which the process started (field 22 of /proc/PID/stat); 0 when there is none.
std::uint64_t start_time_of(int pid);

/// Whether the process with this id is the one that started then.
bool is_alive(int pid, std::uint64_t start_time);

/// Sends `signal` to a process, its descendants, and every process of this user whose environment holds
/// `KERNMILL_TOKEN=token` (children that were re-parented when theirs died). Returns how many were signalled.
int signal_tree(int pid, std::uint64_t start_time, const std::string& token, int signal);

/// Ends such a tree: SIGKILL, again until nothing of it is left (by pidfd: waits for each end, no polling).
void end_tree(int pid, std::uint64_t start_time, const std::string& token);

}  // namespace kernmill
