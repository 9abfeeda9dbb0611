#include "kernmill/cli/doctor/captured.hpp"

#include <csignal>
#include <filesystem>
#include <system_error>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/file_descriptor.hpp"
#include "kernmill/os/process.hpp"

namespace fs = std::filesystem;

namespace kernmill::cli {
namespace {

/// A file for what a program prints; gone with the object.
class OutputFile {
 public:
  OutputFile()
      : path_((fs::temp_directory_path() / "kernmill-XXXXXX").string()), file_(mkstemp(path_.data())) {
    if (!file_) throw std::system_error(errno, std::generic_category(), "cannot make a file in " + path_);
  }
  ~OutputFile() { ::unlink(path_.c_str()); }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  FileDescriptor file_;
};

/// Whether the process ended before the time was over.
bool ends_within(int pid, std::chrono::milliseconds timeout) {
  const FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{handle.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(timeout.count())) != 0;
}

}  // namespace

Captured run_captured(const std::vector<std::string>& argv,
                      const std::vector<std::pair<std::string, std::string>>& env,
                      std::chrono::seconds timeout) {
  Captured captured;
  try {
    const OutputFile output;
    const int pid =
        spawn({.argv = argv, .env = env, .work_dir = {}, .out = output.path(), .err = output.path()});
    const std::uint64_t start = start_time_of(pid);
    captured.timed_out = !ends_within(pid, timeout);
    const bool is_stuck = captured.timed_out && !end_tree(pid, start, "", std::chrono::seconds(5)).empty();
    captured.exit_code = is_stuck ? 128 + SIGKILL : reap(pid);
    captured.output = read_file(output.path());
  } catch (const std::runtime_error& error) {
    captured.output = error.what();
  }
  return captured;
}

}  // namespace kernmill::cli
