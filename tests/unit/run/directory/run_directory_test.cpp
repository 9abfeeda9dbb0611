#include "kernmill/run/directory/run_directory.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kernmill/os/durable_file.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::TemporaryDirectory;

unsigned mode(const fs::path& path) {
  struct stat info {};
  ::stat(path.c_str(), &info);
  return info.st_mode & 07777;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunDirectory, IsNamedAfterWorkflowAndMoment) {
  const TemporaryDirectory root;
  EXPECT_THAT(create_run_directory(root.path(), "iris-svm", false).name(),
              MatchesRegex("iris-svm-[0-9]{8}-[0-9]{6}-[0-9a-f]{4}"));
}

TEST(RunDirectory, HasNoFolderOfMoreThanAThousandInstances) {
  const RunDirectory run("/runs/r");
  EXPECT_EQ(run.attempt("fit", 999, 2), "/runs/r/stages/fit/999/attempt-2");
  EXPECT_EQ(run.attempt("fit", 1'000, 1), "/runs/r/stages/fit/1000-1999/1000/attempt-1");
  EXPECT_EQ(run.checkpoints("fit", 1'999), "/runs/r/stages/fit/1000-1999/1999/checkpoints");
  EXPECT_EQ(run.instance("fit", 123'456), "/runs/r/stages/fit/123000-123999/123456");
}

TEST(RunDirectory, IsClosedToOthersUnlessSharedWithTheGroup) {
  const TemporaryDirectory root;
  const auto closed = create_run_directory(root.path(), "a", false);
  EXPECT_EQ(mode(closed.root()), 0700U);
  EXPECT_EQ(mode(closed.journal()), 0700U);
  const auto shared = create_run_directory(root.path(), "b", true);
  EXPECT_EQ(mode(shared.root()), 0750U);
  EXPECT_EQ(mode(shared.journal()), 0750U);
}

TEST(RunDirectory, ANewDirectoryOfRunsIsTheUsersUntilARunIsShared) {
  const TemporaryDirectory place;
  const fs::path root = place.path() / "runs";
  create_run_directory(root, "a", false);
  EXPECT_EQ(mode(root), 0700U);
  create_run_directory(root, "b", true);
  EXPECT_EQ(mode(root), 0750U);
  fs::permissions(root, fs::perms::owner_all | fs::perms::others_exec);
  create_run_directory(root, "c", false);
  EXPECT_EQ(mode(root), 0701U);  // what somebody chose stays
}

TEST(RunDirectory, FilesAreOpenToWhomTheirDirectoryIs) {
  const TemporaryDirectory root;
  for (const bool share : {false, true}) {
    const auto run = create_run_directory(root.path(), "w", share);
    make_directories(run.attempt("fit", 0, 1));
    write_file_durably(run.attempt("fit", 0, 1) / "spec.json", "{}");
    EXPECT_EQ(mode(run.attempt("fit", 0, 1)), share ? 0750U : 0700U);
    EXPECT_EQ(mode(run.attempt("fit", 0, 1) / "spec.json"), share ? 0640U : 0600U);
  }
}

TEST(RunDirectory, RunsOfOneSecondAreListedInTheOrderInWhichTheyBegan) {
  const TemporaryDirectory root;
  std::vector<std::string> made, listed;
  for (const char* name : {"z", "a", "m", "b", "y"})
    made.push_back(create_run_directory(root.path(), name, false).name());
  for (const auto& run : list_runs(root.path())) listed.push_back(run.name());
  EXPECT_EQ(listed, made);
}

TEST(RunDirectory, OtherThingsInTheRootAreNoRuns) {
  const TemporaryDirectory root;
  fs::create_directories(root.path() / ".cache" / "journal");
  fs::create_directories(root.path() / "a-20260101-000000-ffff");  // no journal: it was never finished
  EXPECT_TRUE(list_runs(root.path()).empty());
}

TEST(SelectRun, TakesLastNamePrefixAndPath) {
  const TemporaryDirectory root;
  const auto iris = create_run_directory(root.path(), "iris", false);
  const auto digits = create_run_directory(root.path(), "digits", false);
  EXPECT_EQ(select_run(root.path(), "last").root(), digits.root());
  EXPECT_EQ(select_run(root.path(), iris.name()).root(), iris.root());
  EXPECT_EQ(select_run(root.path(), "iri").root(), iris.root());
  EXPECT_EQ(select_run("/nowhere", iris.root().string() + "/").root(), iris.root());
}

TEST(SelectRun, AnAmbiguousPrefixListsItsCandidates) {
  const TemporaryDirectory root;
  const auto one = create_run_directory(root.path(), "iris", false);
  const auto two = create_run_directory(root.path(), "iris", false);
  const auto other = create_run_directory(root.path(), "digits", false);
  const std::string error = error_of([&] { select_run(root.path(), "iris"); });
  EXPECT_THAT(error, AllOf(HasSubstr(one.name()), HasSubstr(two.name())));
  EXPECT_THAT(error, Not(HasSubstr(other.name())));
}

TEST(SelectRun, SaysWhatThereIsWhenNothingFits) {
  const TemporaryDirectory root;
  EXPECT_THAT(error_of([&] { select_run(root.path(), "last"); }), HasSubstr("there are no runs"));
  const auto run = create_run_directory(root.path(), "iris", false);
  EXPECT_THAT(error_of([&] { select_run(root.path(), "digits"); }), HasSubstr(run.name()));
  EXPECT_THAT(error_of([&] { select_run(root.path(), "/tmp/."); }), HasSubstr("not a run directory"));
}

}  // namespace
}  // namespace kernmill
