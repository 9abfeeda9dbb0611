// on_success and on_failure of a workflow that is run on this machine.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

std::string told_by_hooks(const std::string& command) {
  const TemporaryDirectory folder;
  std::ofstream(folder.path() / "flow.yaml") << "name: flow\n"
                                                "on_success: echo success $KERNMILL_OUTCOME > told\n"
                                                "on_failure: echo failure $KERNMILL_OUTCOME > told\n"
                                                "stages: {one: {run: '" +
                                                    command + "'}}\n";
  run_program({{KERNMILL, "run", "flow.yaml"}, folder.path(), {}});
  std::ifstream file(folder.path() / "told");
  std::string line;
  std::getline(file, line);
  return line;
}

TEST(Hook, OnSuccessHearsOfSuccess) {
  EXPECT_EQ(told_by_hooks("true"), "success done");
}

TEST(Hook, OnFailureHearsOfFailure) {
  EXPECT_EQ(told_by_hooks("false"), "failure failed");
}

}  // namespace
}  // namespace kernmill::testing
