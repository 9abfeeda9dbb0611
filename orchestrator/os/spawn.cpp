#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/file_mode.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill {
namespace {

/// What the child tells its parent when it cannot become the program.
struct ChildError {
  enum class Step : int { work_dir, out, err, exec } step;
  int code;
};

std::string path_of(const SpawnOptions& options) {
  for (const auto& [name, value] : options.env)
    if (name == "PATH") return value;
  return "/usr/local/bin:/usr/bin:/bin";
}

/// The file that argv[0] names, looked up as execvp would in the PATH that the child is given. A name that is
/// not found is given back as it is, so that exec says why.
std::string resolve_program(const SpawnOptions& options) {
  const std::string& name = options.argv.front();
  if (name.find('/') != std::string::npos) return name;
  const std::string path = path_of(options);
  // Thousands of children are the same program: what was found last is looked at first.
  thread_local std::string last_path, last_name, last_file;
  if (path == last_path && name == last_name && ::access(last_file.c_str(), X_OK) == 0) return last_file;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    std::string file = fmt::format("{}/{}", path.substr(begin, end - begin), name);
    if (::access(file.c_str(), X_OK) == 0) {
      last_path = path, last_name = name, last_file = file;
      return file;
    }
    begin = end + 1;
  }
  return name;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (auto& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// What the child becomes, ready made: it may not allocate memory.
struct Program {
  const SpawnOptions& options;
  const char* file;
  char* const* argv;
  char* const* envp;
  const char* oom_score;  ///< null: as this process's
  int input;              ///< its stdin; -1: /dev/null
};

/// From here to exec only calls that are safe after a fork in a program with threads.
[[noreturn]] void give_up(int error_pipe, ChildError::Step step) {
  const ChildError error{step, errno};
  [[maybe_unused]] const auto written = ::write(error_pipe, &error, sizeof error);
  ::_exit(127);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_on_exec_from(int first) {
  constexpr unsigned close_range_cloexec = 4;
  if (::syscall(SYS_close_range, first, ~0U, close_range_cloexec) == 0) return;
  const long end = ::sysconf(_SC_OPEN_MAX);  // a kernel before 5.11
  for (int fd = first; fd < end; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void redirect(const std::string& file, int target, int error_pipe, ChildError::Step step) {
  if (file.empty()) return;
  const int fd = open_log(file.c_str());
  if (fd < 0 || ::dup2(fd, target) < 0) give_up(error_pipe, step);
}

void pin(const std::vector<unsigned>& cores) {
  if (cores.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned core : cores)
    if (core < CPU_SETSIZE) CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof set, &set);  // what cannot be pinned still computes the same
}

void set_oom_score(const char* score) {
  if (score == nullptr) return;
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const auto written = ::write(fd, score, std::strlen(score));
  ::close(fd);
}

[[noreturn]] void become(const Program& program, int error_pipe) {
  const SpawnOptions& options = program.options;
  ::setpgid(0, 0);
  reset_signals();
  pin(options.cores);
  set_oom_score(program.oom_score);
  if (!options.work_dir.empty() && ::chdir(options.work_dir.c_str()) != 0)
    give_up(error_pipe, ChildError::Step::work_dir);
  const int input = program.input >= 0 ? program.input : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input >= 0) ::dup2(input, STDIN_FILENO);
  redirect(options.out, STDOUT_FILENO, error_pipe, ChildError::Step::out);
  redirect(options.err, STDERR_FILENO, error_pipe, ChildError::Step::err);
  close_on_exec_from(3);
  ::execve(program.file, program.argv, program.envp);
  give_up(error_pipe, ChildError::Step::exec);
}

// The child shares this process's memory until it has become the program, and this process waits that long:
// the tables of a large one need not be copied. Sanitizers know only of fork.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int start(const Program& program, int error_pipe) {
  const int child = ::fork();
  if (child == 0) become(program, error_pipe);
  return child;
}
#else
struct Start {
  const Program& program;
  int error_pipe;
};

int become_program(void* given) {
  const auto* start = static_cast<const Start*>(given);
  become(start->program, start->error_pipe);
}

int start(const Program& program, int error_pipe) {
  constexpr std::size_t stack_size = 64 * 1024;
  const auto stack =
      std::make_unique_for_overwrite<std::max_align_t[]>(stack_size / sizeof(std::max_align_t));
  Start given{program, error_pipe};
  char* const top = reinterpret_cast<char*>(stack.get()) + stack_size;  // stacks grow downwards
  return ::clone(become_program, top, CLONE_VM | CLONE_VFORK | SIGCHLD, &given);
}
#endif

std::string explain(const SpawnOptions& options, const ChildError& error) {
  const std::string& program = options.argv.front();
  const char* why = std::strerror(error.code);
  switch (error.step) {
    case ChildError::Step::work_dir:
      return fmt::format("cannot start '{}' in the directory {}: {}", program, options.work_dir, why);
    case ChildError::Step::out:
      return fmt::format("cannot start '{}': its output file {} cannot be opened: {}", program, options.out,
                         why);
    case ChildError::Step::err:
      return fmt::format("cannot start '{}': its error file {} cannot be opened: {}", program, options.err,
                         why);
    case ChildError::Step::exec:
      break;
  }
  if (error.code == ENOENT && program.find('/') == std::string::npos)
    return fmt::format("cannot start '{}': no such program in PATH ({}); install it, or give its full path",
                       program, path_of(options));
  return fmt::format("cannot start '{}': {}; is it there, and may it be executed?", program, why);
}

/// A file without a name that holds the text, to be read from its beginning; none for an empty text.
FileDescriptor file_of(const std::string& text, const std::string& program) {
  if (text.empty()) return {};
  FileDescriptor file(::memfd_create("input", MFD_CLOEXEC));
  std::size_t written = 0;
  while (file && written < text.size()) {
    const ssize_t some =
        ::pwrite(file.get(), text.data() + written, text.size() - written, static_cast<off_t>(written));
    if (some > 0)
      written += static_cast<std::size_t>(some);
    else if (errno != EINTR)
      break;
  }
  if (written < text.size())
    throw std::runtime_error(
        fmt::format("cannot start '{}': no memory for its input: {}", program, std::strerror(errno)));
  return file;
}

/// Signals wait while the child is on its way, so that none runs this process's handlers in it.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

int spawn_argv(const SpawnOptions& options) {
  const std::string program = resolve_program(options);
  std::vector<std::string> arguments = options.argv, environment;
  for (const auto& [name, value] : options.env) environment.push_back(fmt::format("{}={}", name, value));
  const auto argv = pointers(arguments), envp = pointers(environment);
  const std::string oom_score = std::to_string(options.oom_score);
  const FileDescriptor input = file_of(options.input, options.argv.front());
  const Program ready{options,
                      program.c_str(),
                      argv.data(),
                      envp.data(),
                      options.oom_score == 0 ? nullptr : oom_score.c_str(),
                      input.get()};

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error(
        fmt::format("cannot start '{}': no pipe: {}", options.argv.front(), std::strerror(errno)));
  const FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  int child = -1;
  {
    const AllSignalsBlocked blocked;
    child = start(ready, write_end.get());
  }
  if (child < 0)
    throw std::runtime_error(fmt::format("cannot start '{}': {}; are there too many processes (ulimit -u)?",
                                         options.argv.front(), std::strerror(errno)));
  write_end.reset();
  ChildError error{};
  ssize_t got = 0;
  while ((got = ::read(read_end.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got == 0) return child;
  reap(child);
  throw std::runtime_error(explain(options, error));
}

}  // namespace

int spawn(const SpawnOptions& options) {
  if (options.argv.empty()) throw std::runtime_error("cannot start a program without a name");
  if (options.otherwise.empty()) return spawn_argv(options);
  try {
    return spawn_argv(options);
  } catch (const std::runtime_error&) {
    SpawnOptions other = options;
    other.argv = options.otherwise;
    return spawn_argv(other);
  }
}

int reap(int child) {
  return wait_for_end(child).exit_code;
}

ChildEnd wait_for_end(int child) {
  int status = 0;
  rusage used{};
  while (::wait4(child, &status, 0, &used) < 0)
    if (errno != EINTR)
      throw std::runtime_error(fmt::format("cannot wait for process {}: {}", child, std::strerror(errno)));
  const std::uint64_t peak = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  if (!WIFSIGNALED(status)) return {WEXITSTATUS(status), 0, peak};
  return {128 + WTERMSIG(status), WTERMSIG(status), peak};
}

}  // namespace kernmill
