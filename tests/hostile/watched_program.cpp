#include "watched_program.hpp"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernmill::testing {
namespace {

[[noreturn]] void become(const std::vector<std::string>& words, const std::filesystem::path& folder) {
  setpgid(0, 0);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  if (chdir(folder.c_str()) != 0) _exit(126);
  const int out = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("/dev/null", O_RDONLY);
  if (out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(126);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  _exit(127);
}

}  // namespace

Watched watch(const std::vector<std::string>& argv, const std::filesystem::path& folder,
              std::chrono::seconds patience) {
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) become(argv, folder);
  Watched end;
  pollfd ended{static_cast<int>(syscall(SYS_pidfd_open, child, 0)), POLLIN, 0};
  end.in_time = poll(&ended, 1, static_cast<int>(std::chrono::milliseconds(patience).count())) > 0;
  close(ended.fd);
  if (!end.in_time) kill(-child, SIGKILL);
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.most_memory = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  std::ifstream said(folder / "said", std::ios::binary);
  end.said.assign(std::istreambuf_iterator<char>(said), {});
  return end;
}

}  // namespace kernmill::testing
