#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "program.hpp"

namespace kernmill::testing {

/// A workflow of real commands in a folder of its own, and what can be asked about it after kernmill was
/// killed.
class KillWorld {
 public:
  /// `workflow` is a file of tests/cli/workflows.
  explicit KillWorld(const std::string& workflow);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] Invocation kernmill(std::vector<std::string> words,
                                    const std::string& program = KERNMILL) const;
  Finished run(std::vector<std::string> words) const { return run_program(kernmill(std::move(words))); }

  [[nodiscard]] std::vector<RunDirectory> runs() const { return list_runs(folder() / "runs"); }
  /// Goes on with what was killed, whatever there is of it: resumes the run, or starts one when none had
  /// begun.
  void go_on() const;
  /// The newest run is done; each of its instances committed once, and ran no more after that; nothing of it
  /// is left running.
  void expect_whole() const;
  /// A kernmill-exec that kills itself at a boundary of its journal when it carries out that instance
  /// ("left.1"), the first time.
  [[nodiscard]] std::filesystem::path dying_exec(const std::string& instance, int boundary) const;
  /// A kernmill-exec that appends the exit status of each pack to the file `exits`.
  [[nodiscard]] std::filesystem::path telling_exec() const;
  [[nodiscard]] bool exec_was_killed() const { return std::filesystem::exists(folder() / "killed"); }
  /// Lines that instances appended to the ledger: "stage instance attempt".
  [[nodiscard]] std::vector<std::string> ledger() const { return lines("ledger"); }
  [[nodiscard]] std::vector<std::string> lines(const std::string& file) const;

 private:
  [[nodiscard]] std::filesystem::path script(const std::string& name, const std::string& text) const;
  TemporaryDirectory folder_;
};

}  // namespace kernmill::testing
