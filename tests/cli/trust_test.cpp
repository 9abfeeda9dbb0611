// Runs of others, in the same folder.
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>

#include "kernmill/os/process.hpp"
#include "kill_world.hpp"
#include "other_user.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ForeignRun : public ::testing::Test {
 protected:
  ForeignRun() : world("diamond.yaml") { workflow("stages: {a: {run: 'id -u >> ran; test -e ready'}}\n"); }
  void workflow(const std::string& text) const { std::ofstream(world.folder() / "flow.yaml") << text; }
  /// A run that has failed, and could be resumed.
  [[nodiscard]] RunDirectory failed_run() const {
    EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
    std::ofstream(world.folder() / "ready") << "yes";
    fs::remove(world.folder() / "ran");
    return world.runs().back();
  }
  static void give(const fs::path& folder, uid_t user) {
    ASSERT_EQ(::lchown(folder.c_str(), user, 0), 0);
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      ASSERT_EQ(::lchown(entry.path().c_str(), user, 0), 0);
  }
  /// As another user, who may use the folder.
  Finished run_as(uid_t user, gid_t group, const std::string& umask, std::vector<std::string> words) const {
    Invocation invocation = world.kernmill(std::move(words));
    const std::vector<std::string> before{"setpriv",
                                          "--reuid=" + std::to_string(user),
                                          "--regid=" + std::to_string(group),
                                          "--clear-groups",
                                          "sh",
                                          "-c",
                                          "umask " + umask + "; exec \"$0\" \"$@\""};
    invocation.argv.insert(invocation.argv.begin(), before.begin(), before.end());
    invocation.environment.emplace_back("HOME", world.folder());
    return run_program(invocation);
  }
  KillWorld world;
};

TEST_F(ForeignRun, IsNotActedOnUnlessItsOwnerIsNamed) {
  KERNMILL_NEEDS_OTHER_USERS();
  const RunDirectory run = failed_run();
  give(run.root(), alice);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"resume", run.name()},
                                                {"cancel", run.name()},
                                                {"clean", run.name(), "--yes"}}) {
    const Finished refused = world.run(words);
    EXPECT_EQ(refused.exit_code, 2) << words.front();
    EXPECT_THAT(refused.err, HasSubstr("it belongs to user 12345")) << words.front();
    EXPECT_THAT(refused.err, HasSubstr("--owned-by 12345")) << words.front();
  }
  EXPECT_FALSE(fs::exists(world.folder() / "ran"));
  EXPECT_THAT(world.run({"resume"}).err, HasSubstr("'last' is a run of your own"));
  EXPECT_THAT(world.run({"clean", "--keep", "0", "--yes"}).err, HasSubstr("no run fits"));
  EXPECT_EQ(world.run({"status", run.name()}).exit_code, 0);
  EXPECT_EQ(world.run({"explain", run.name(), "a"}).exit_code, 0);
  EXPECT_THAT(world.run({"resume", run.name(), "--owned-by", "65534"}).err,
              HasSubstr("belongs to user 12345"));
  const Finished resumed = world.run({"resume", run.name(), "--owned-by", "12345"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(fs::exists(world.folder() / "ran"));
  EXPECT_EQ(resumed.err.find("warning"), std::string::npos) << resumed.err;
  EXPECT_THAT(world.run({"audit", "show", "--json"}).out, HasSubstr("\"owned_by\": \"12345\""));
}

TEST_F(ForeignRun, ThatOthersMayWriteIsNotResumedAndNotCarriedOutByAJob) {
  const RunDirectory run = failed_run();
  for (const fs::path& path : {run.root(), run.journal(), run.plan()}) {
    fs::permissions(path, fs::perms::others_write, fs::perm_options::add);
    const Finished refused = world.run({"resume", "last"});
    EXPECT_EQ(refused.exit_code, 2) << path;
    EXPECT_THAT(refused.err, HasSubstr("everybody may write it")) << path;
    const Finished job = run_program({{KERNMILL_EXEC, "--run", run.root(), "--stage", "a", "--instance", "0",
                                       "--attempt", "7", "--job", "by-hand"},
                                      world.folder(),
                                      {}});
    EXPECT_EQ(job.exit_code, 3) << path;
    EXPECT_THAT(job.err, HasSubstr("everybody may write it")) << path;
    fs::permissions(path, fs::perms::others_write, fs::perm_options::remove);
  }
  EXPECT_FALSE(fs::exists(world.folder() / "ran"));
  EXPECT_EQ(world.run({"resume", "last"}).exit_code, 0);
}

TEST_F(ForeignRun, CancelSignalsNoProcessThatALockOnlyNames) {
  const RunDirectory run = failed_run();
  Program bystander({{"sleep", "60"}, world.folder(), {}});
  const int held = ::open(run.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(::flock(held, LOCK_EX | LOCK_NB), 0);
  const Json named{
      {"pid", bystander.pid()}, {"start_time", start_time_of(bystander.pid())}, {"host", host_name()}};
  const std::string text = named.dump() + "\n";
  ASSERT_EQ(::ftruncate(held, 0), 0);
  ASSERT_EQ(::pwrite(held, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  const Finished refused = world.run({"cancel", "last", "--force"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err, HasSubstr("which does not hold it: that process was left alone"));
  EXPECT_FALSE(bystander.ends_within(std::chrono::microseconds(0)));
  ASSERT_EQ(::ftruncate(held, 0), 0);
  const Finished nameless = world.run({"cancel", "last"});
  EXPECT_EQ(nameless.exit_code, 3);
  EXPECT_THAT(nameless.err, HasSubstr("is held by a process that does not say which"));
  ::close(held);
}

TEST_F(ForeignRun, TwoUsersOfOneRootTakeNothingFromEachOther) {
  KERNMILL_NEEDS_OTHER_USERS();
  constexpr gid_t project = 54321;
  workflow(
      "share: group\n"
      "stages: {a: {run: 'id -u > $KERNMILL_OUTPUT/o', inputs: [], outputs: [o]}}\n");
  ASSERT_EQ(::chmod(world.folder().c_str(), 0755), 0);
  fs::create_directory(world.folder() / "runs");
  ASSERT_EQ(::chown((world.folder() / "runs").c_str(), 0, project), 0);
  ASSERT_EQ(::chmod((world.folder() / "runs").c_str(), 03770), 0);
  for (const uid_t user : {alice, mallory})
    for (const std::string umask : {"077", "000"}) {
      const Finished done = run_as(user, project, umask, {"run", "flow.yaml"});
      ASSERT_EQ(done.exit_code, 0) << done.err;
      EXPECT_EQ(done.err.find("warning"), std::string::npos) << done.err;
      const RunDirectory run = world.runs().back();
      EXPECT_EQ(content(run.attempt("a", 0, 1) / "o"), std::to_string(user) + "\n");
      for (const auto& entry : fs::recursive_directory_iterator(run.root())) {
        struct stat status {};
        ASSERT_EQ(::lstat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_gid, project) << entry.path();
        if (entry.path().extension() == ".log") {
          EXPECT_EQ(status.st_mode & 07777, 0640U) << entry.path();
        }
        if (entry.is_directory()) {
          EXPECT_EQ(status.st_mode & 07777, 02750U) << entry.path();
        }
      }
      const bool second = umask == "000";
      EXPECT_EQ(done.err.find("cached") != std::string::npos, second) << "one's own result is taken again";
    }
  const std::string last = world.runs().back().name();
  EXPECT_EQ(run_as(alice, project, "022", {"status", last}).exit_code, 0) << "a colleague may look";
  EXPECT_EQ(run_as(alice, project, "022", {"resume", last}).exit_code, 2);
  const Finished verified = world.run({"audit", "verify"});  // logs obey their users' umask
  EXPECT_EQ(verified.exit_code, 0) << verified.out;
  EXPECT_THAT(verified.out, HasSubstr("audit-12345.jsonl: whole, 2 entries"));
  EXPECT_THAT(verified.out, HasSubstr("audit-65534.jsonl: whole, 2 entries"));
}

TEST_F(ForeignRun, CleanTakesNoAgeOrNumberThatMeansEverything) {
  const RunDirectory run = failed_run();
  for (const char* age : {"nan", "1e300d", "infd", "inf", "-1d", "0x10d", "99999999999999d", "d", ""})
    EXPECT_EQ(world.run({"clean", "--older-than", age, "--yes"}).exit_code, 2) << age;
  for (const char* number : {"-1", "nan", "1e9", "99999999999"})
    EXPECT_EQ(world.run({"clean", std::string("--keep=") + number, "--yes"}).exit_code, 2) << number;
  EXPECT_EQ(world.run({"cancel", "last", "--patience=-1"}).exit_code, 2);
  EXPECT_TRUE(fs::exists(run.root()));
}

}  // namespace
}  // namespace kernmill::testing
