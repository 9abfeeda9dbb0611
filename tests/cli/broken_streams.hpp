#pragma once
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.hpp"

namespace kernmill::testing {

/// Runs a program with standard streams that cannot be written, and compares with how it ends when they can.
class BrokenStreams {
 public:
  explicit BrokenStreams(Invocation base) : base_(std::move(base)) {}

  /// As a shell runs it: what was lost of stdout is an error that is told, what was lost of stderr is none,
  /// and no signal ends the program. `command`: the program and its words.
  void expect_kept_by(const std::string& command) const {
    SCOPED_TRACE(command);
    const Finished well = run_program(in_shell(command));
    ASSERT_LT(well.exit_code, 126) << well.err;
    const bool prints = !well.out.empty();
    Program full_out(in_shell(command + " >/dev/full")), full_err(in_shell(command + " 2>/dev/full")),
        both_full(in_shell(command + " >/dev/full 2>&1")), closed(in_shell(command + " <&- >&- 2>&-"));
    const Finished no_out = full_out.wait(), no_err = full_err.wait();
    EXPECT_EQ(no_out.exit_code, prints && well.exit_code == 0 ? 3 : well.exit_code) << no_out.err;
    if (prints && well.exit_code == 0) {
      EXPECT_THAT(no_out.err,
                  ::testing::HasSubstr("cannot write to the standard output: No space left on device"));
    }
    EXPECT_EQ(no_err.exit_code, well.exit_code);
    EXPECT_EQ(no_err.out.empty(), well.out.empty());
    EXPECT_EQ(both_full.wait().exit_code, no_out.exit_code);
    EXPECT_EQ(closed.wait().exit_code, well.exit_code);
  }

 private:
  [[nodiscard]] Invocation in_shell(const std::string& words) const {
    Invocation invocation = base_;
    invocation.argv = {"/bin/bash", "-c", words};
    return invocation;
  }
  Invocation base_;
};

}  // namespace kernmill::testing
