#include "kernmill/slurm/errors/probe.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernmill/scheduler/cluster.hpp"

namespace kernmill::slurm {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw ClusterError(
      ClusterError::Kind::unavailable,
      fmt::format(
          "Slurm's configuration cannot be used on this machine: {}\n"
          "SLURM_CONF names slurm.conf where it is not in Slurm's own place; `sinfo` has to work here. "
          "Without Slurm: --scheduler local",
          reason));
}

/// libslurm would wait a minute for a file that is not there.
void check_named_file() {
  const char* named = std::getenv("SLURM_CONF");
  if (named != nullptr && *named != '\0' && ::access(named, R_OK) != 0) {
    refuse(fmt::format("SLURM_CONF names {}, which cannot be read", named));
  }
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 1024> buffer{};
  for (;;) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

}  // namespace

void probe(const std::function<void()>& action) {
  check_named_file();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
    action();
    ::_exit(EXIT_SUCCESS);
  }
  ::close(ends[1]);
  std::string said = child > 0 ? read_all(ends[0]) : std::string();
  ::close(ends[0]);
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  while (said.ends_with('\n')) said.pop_back();
  if (status != 0) refuse(said.empty() ? "libslurm gives up without a word" : said);
}

}  // namespace kernmill::slurm
