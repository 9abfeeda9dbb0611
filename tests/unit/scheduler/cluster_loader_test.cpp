#include "kernmill/scheduler/cluster_loader.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// What opening this file as the plug-in answers.
std::string refusal(const std::string& file) {
  ::setenv("KERNMILL_SLURM_PLUGIN", file.c_str(), 1);
  try {
    open_slurm();
  } catch (const ClusterError& error) {
    EXPECT_EQ(error.kind, ClusterError::Kind::unavailable);
    return error.what();
  }
  return "opened";
}

constexpr const char* command = "--target kernmill_slurm";

TEST(ClusterLoader, AnAbsentFileIsNamedWithTheCommandThatBuildsIt) {
  EXPECT_THAT(refusal("/nowhere/kernmill_slurm.so"),
              AllOf(HasSubstr("/nowhere/kernmill_slurm.so does not exist"), HasSubstr(command)));
}

TEST(ClusterLoader, AFileThatIsNoPluginIsRefused) {
  EXPECT_THAT(refusal(NO_PLUGIN), AllOf(HasSubstr(NO_PLUGIN), HasSubstr("is no plug-in of Kernmill")));
}

TEST(ClusterLoader, AFileThatIsNoLibraryIsRefused) {
  EXPECT_THAT(refusal("/etc/passwd"), AllOf(HasSubstr("cannot open"), HasSubstr("/etc/passwd")));
}

TEST(ClusterLoader, AnotherVersionOfTheInterfaceIsRefusedBeforeAnythingElseIsBelieved) {
  EXPECT_THAT(refusal(WRONG_VERSION), AllOf(HasSubstr("version 999"), HasSubstr(command)));
}

TEST(ClusterLoader, ALibraryThatIsGoneIsNamedWithTheCommandThatRebuilds) {
  EXPECT_THAT(refusal(NEEDS_LIBRARY), AllOf(HasSubstr("libkernmill_test_gone.so"), HasSubstr(command)));
}

TEST(ClusterLoader, AFittingPluginIsOpenedAndItsErrorsKeepTheirKind) {
  ::setenv("KERNMILL_SLURM_PLUGIN", GOOD_PLUGIN, 1);
  try {
    open_slurm();
    FAIL() << "this plug-in's cluster is busy";
  } catch (const ClusterError& error) {
    EXPECT_EQ(error.kind, ClusterError::Kind::busy);
    EXPECT_STREQ(error.what(), "opened, and too busy");
  }
}

TEST(ClusterLoader, WithoutAVariableThePluginIsLookedForBesideTheProgram) {
  ::unsetenv("KERNMILL_SLURM_PLUGIN");
  const auto found = find_slurm_plugin();
  if (!found.empty()) {
    EXPECT_EQ(found.filename(), "kernmill_slurm.so");
    return;
  }
  try {
    open_slurm();
    FAIL() << "nothing was found, and yet opened";
  } catch (const ClusterError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("libslurm-dev"), HasSubstr("--scheduler local")));
  }
}

TEST(JobState, OnlyWhatMayStillRunIsLive) {
  EXPECT_TRUE(is_live(JobState::completing));
  EXPECT_TRUE(is_live(JobState::pending));
  EXPECT_FALSE(is_live(JobState::preempted));
  EXPECT_FALSE(is_live(JobState::completed));
  EXPECT_EQ(to_string(JobState::out_of_memory), "out_of_memory");
}

}  // namespace
}  // namespace kernmill
