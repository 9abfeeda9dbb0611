#include "program.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

fs::path scratch_file(const char* what) {
  static std::atomic<int> number{0};
  return fs::temp_directory_path() /
         ("kernmill-test-" + std::to_string(getpid()) + "-" + std::to_string(number++) + "." + what);
}

void redirect(const fs::path& file, int to) {
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || dup2(fd, to) < 0) _exit(126);
}

[[noreturn]] void become(const Invocation& invocation, const fs::path& out, const fs::path& err) {
  for (const int signal : {SIGINT, SIGHUP})
    std::signal(signal, SIG_DFL);  // a script's `&` and nohup ignore them
  redirect("/dev/null", 0);
  redirect(out, 1);
  redirect(err, 2);
  if (!invocation.folder.empty() && chdir(invocation.folder.c_str()) != 0) _exit(126);
  for (const auto& [name, value] : invocation.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& word : invocation.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  _exit(127);
}

}  // namespace

// By <<, which takes a failure to read for an end: a file of /proc gives ESRCH when its process has just
// gone.
std::string content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

Program::Program(const Invocation& invocation) : out_(scratch_file("out")), err_(scratch_file("err")) {
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) become(invocation, out_, err_);
}

Program::~Program() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  fs::remove(out_);
  fs::remove(err_);
}

void Program::send(int signal) const {
  kill(pid_, signal);
}

bool Program::ends_within(std::chrono::microseconds timeout) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd ended{handle, POLLIN, 0};
  const timespec limit{timeout.count() / 1000000, timeout.count() % 1000000 * 1000};
  const bool over = ppoll(&ended, 1, &limit, nullptr) > 0;
  close(handle);
  return over;
}

Finished Program::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content(out_), content(err_)};
}

Finished run_program(const Invocation& invocation) {
  return Program(invocation).wait();
}

std::vector<int> processes_with_token(const std::string& beginning) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string environment = std::string(1, '\0') + content(entry.path() / "environ");
    if (environment.find(std::string(1, '\0') + "KERNMILL_TOKEN=" + beginning) != std::string::npos)
      found.push_back(std::stoi(name));
  }
  return found;
}

}  // namespace kernmill::testing
