#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kernmill {

/// How a child process is started. It gets a process group of its own, every signal in its default state, and
/// no open file of this process.
struct SpawnOptions {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;  ///< the whole environment
  std::string work_dir;                                  ///< empty: this process's
  std::string out, err;                                  ///< files appended to; equal names share one file
  std::string input{};                                   ///< what it reads from its stdin; empty: /dev/null
  std::vector<std::string> otherwise{};                  ///< argv where that cannot be started; or empty
  std::vector<unsigned> cores{};  ///< those it may run on; empty: all that this process may
  int oom_score = 0;  ///< its oom_score_adj: who is ended first for want of memory; 0: as this process
};

/// Starts a program (argv[0] is looked up in the PATH of `env`). Throws std::runtime_error: what could not be
/// started, why, and the way out.
int spawn(const SpawnOptions& options);

/// Clock ticks since boot at which the process started (field 22 of /proc/PID/stat); 0 when there is none.
std::uint64_t start_time_of(int pid);

/// Whether the process with this id is the one that started then.
bool is_alive(int pid, std::uint64_t start_time);

/// Sends `signal` to a process, its descendants, the process groups they lead, and every process of this user
/// whose environment holds `KERNMILL_TOKEN=token` (children that were re-parented when theirs died; none for
/// an empty token; a token that ends with `/` stands for all that begin with it). This process itself
/// and those that it descends from are never signalled. Returns how many were.
int signal_tree(int pid, std::uint64_t start_time, const std::string& token, int signal);

/// A process found in such a tree.
struct TreeMember {
  int pid = 0;
  int parent = 0;
  std::uint64_t start_time = 0;
  std::string program;  ///< its short name, as the kernel keeps it: 15 characters at most
  std::uint64_t ticks =
      0;             ///< of processor time, its children's that have ended included (sysconf(_SC_CLK_TCK))
  char state = '?';  ///< as ps has it: R, S, D, T, t, ...
};
/// How long a process may take to end once it got SIGKILL. One that takes longer waits in the kernel (state
/// D), most likely for a disk or a file system that does not answer: nothing ends it before that does.
inline constexpr std::chrono::seconds longest_end{30};

/// Ends such a tree: SIGKILL, again until nothing of it is left (by pidfd: waits for each end, no polling).
/// Gives those that had not ended within `limit`: they never run an instruction of their program again, but a
/// write that they have begun may still come to its end.
std::vector<TreeMember> end_tree(int pid, std::uint64_t start_time, const std::string& token,
                                 std::chrono::milliseconds limit = longest_end);

/// What people are told of processes that did not end; empty when there are none.
std::string still_there_text(const std::vector<TreeMember>& left);

/// The members of such a tree that are alive now, by process id.
std::vector<TreeMember> find_tree(int pid, std::uint64_t start_time, const std::string& token);

/// The processes of this machine at one moment, for whoever looks at several trees, or at one again and
/// again. Each process's environment is read once.
class ProcessTable {
 public:
  ProcessTable();
  ~ProcessTable();
  ProcessTable(const ProcessTable&) = delete;
  ProcessTable& operator=(const ProcessTable&) = delete;
  void refresh();
  /// As `find_tree`.
  std::vector<TreeMember> tree(int pid, std::uint64_t start_time, const std::string& token);

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

/// Sends a signal to the process with this id if it is the one that started then. Returns whether it was
/// sent.
bool signal_process(int pid, std::uint64_t start_time, int signal);

/// Makes orphans among the descendants of this process its children, instead of init's.
void adopt_orphans();

/// The children of this process's first thread, those that have ended and were not reaped included. Nothing
/// where the kernel does not say.
std::optional<std::vector<int>> children();

/// How a child has ended.
struct ChildEnd {
  int exit_code = 0;  ///< 128 + signal when a signal ended it; programs return such numbers of their own, too
  int signal = 0;     ///< that ended it; 0: it returned its exit code
  std::uint64_t peak_memory = 0;  ///< bytes that it, or the largest of its own children, had
};
/// Waits for a child of this process to end.
ChildEnd wait_for_end(int child);

/// The same, for who needs no more than the exit code.
int reap(int child);

/// The name of this machine: a process id means something only there.
std::string host_name();

}  // namespace kernmill
