#pragma once
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kernmill::testing {

/// How a program is started by a test.
struct Invocation {
  std::vector<std::string> argv;
  std::filesystem::path folder;                                  ///< it starts here
  std::vector<std::pair<std::string, std::string>> environment;  ///< besides that of the test
};

/// What a program did.
struct Finished {
  int exit_code = 0;  ///< 128 + signal when a signal ended it
  std::string out, err;
};

/// A program that a test has started; killed when the object goes.
class Program {
 public:
  explicit Program(const Invocation& invocation);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  [[nodiscard]] int pid() const { return pid_; }
  void send(int signal) const;
  /// Whether it ended by itself before `timeout` was over.
  bool ends_within(std::chrono::microseconds timeout);
  Finished wait();

 private:
  int pid_ = -1;
  std::filesystem::path out_, err_;
};

/// Starts a program and waits for it.
Finished run_program(const Invocation& invocation);

/// What is in a file, as far as it can be read; of /proc, too.
std::string content(const std::filesystem::path& file);

/// Processes of this machine whose environment says KERNMILL_TOKEN=`beginning`...
std::vector<int> processes_with_token(const std::string& beginning);

}  // namespace kernmill::testing
