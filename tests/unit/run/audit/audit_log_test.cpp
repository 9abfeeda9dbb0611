#include "kernmill/run/audit/audit_log.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/audit/audit_check.hpp"
#include "other_user.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::TemporaryDirectory;

class Audit : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path file() const { return audit_file(root_.path(), ::geteuid()); }
  AuditMark append(const std::string& command) {
    return append_to_audit(root_.path(), {.command = command, .run = {}});
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    std::ifstream stream(file());
    std::vector<std::string> all;
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
  }
  void rewrite(const std::vector<std::string>& lines) const {
    std::ofstream stream(file(), std::ios::trunc);
    for (const std::string& line : lines) stream << line << '\n';
  }
  [[nodiscard]] AuditedLog checked() const {
    const auto logs = check_audit(root_.path());
    return logs.empty() ? AuditedLog{} : logs.front();
  }
  TemporaryDirectory root_;
};

TEST_F(Audit, EachEntryHoldsTheHashOfTheOneBeforeIt) {
  const AuditMark first = append("submit"), second = append("cancel");
  EXPECT_EQ(first.number, 1U);
  EXPECT_EQ(second.number, 2U);
  const AuditedLog log = checked();
  ASSERT_THAT(log.entries, SizeIs(2));
  EXPECT_EQ(log.entries[0]["previous"], std::string(64, '0'));
  EXPECT_EQ(log.entries[1]["previous"], first.hash);
  EXPECT_EQ(log.entries[1]["command"], "cancel");
  EXPECT_EQ(log.last.hash, second.hash);
  EXPECT_THAT(log.problems, IsEmpty());
}

TEST_F(Audit, FindsAnEntryThatWasChangedRemovedOrMoved) {
  for (const char* command : {"submit", "cancel", "resume", "clean"}) append(command);
  const auto whole = lines();
  auto changed = whole;
  changed[1].replace(changed[1].find("cancel"), 6, "submit");
  rewrite(changed);
  EXPECT_THAT(checked().problems, ElementsAre(HasSubstr("line 3 does not follow")));
  auto removed = whole;
  removed.erase(removed.begin() + 1);
  rewrite(removed);
  EXPECT_THAT(checked().problems, SizeIs(2)) << "it does not follow, and has another number";
  auto moved = whole;
  std::swap(moved[1], moved[2]);
  rewrite(moved);
  EXPECT_FALSE(checked().problems.empty());
  auto without_first = whole;
  without_first.erase(without_first.begin());
  rewrite(without_first);
  EXPECT_FALSE(checked().problems.empty());
  rewrite(whole);
  EXPECT_THAT(checked().problems, IsEmpty());
}

TEST_F(Audit, FindsByItsRunsThatItsEndWasRemovedOrChanged) {
  const RunDirectory run = create_run_directory(root_.path(), "w", false);
  audit_act(run, {.command = "run", .run = {}});
  audit_act(run, {.command = "cancel", .run = {}});
  const auto whole = lines();
  EXPECT_THAT(checked().problems, IsEmpty());
  rewrite({whole[0]});
  EXPECT_THAT(checked().problems, ElementsAre(HasSubstr("entry 2, which run " + run.name() + " names")));
  auto changed = whole;
  changed[1].replace(changed[1].find("cancel"), 6, "status");
  rewrite(changed);
  EXPECT_THAT(checked().problems, ElementsAre(HasSubstr("entry 2 is not the one")));
  fs::remove(file());
  EXPECT_THAT(checked().problems, SizeIs(2)) << "the whole log is gone";
}

TEST_F(Audit, ARunThatIsGoneIsAmongTheNotesUnlessItWasCleaned) {
  const RunDirectory run = create_run_directory(root_.path(), "w", false);
  audit_act(run, {.command = "run", .run = {}});
  fs::remove_all(run.root());
  EXPECT_THAT(checked().notes, ElementsAre(HasSubstr("is gone")));
  append_to_audit(root_.path(), {.command = "clean", .run = run.name()});
  EXPECT_THAT(checked().notes, IsEmpty());
}

TEST_F(Audit, GoesOnBehindALineThatWasTorn) {
  append("submit");
  std::ofstream(file(), std::ios::app) << "{\"schema_version\":1,\"n\":2,\"ti";
  EXPECT_THAT(checked().notes, ElementsAre(HasSubstr("line 2 is torn")));
  EXPECT_EQ(append("cancel").number, 2U);
  const AuditedLog log = checked();
  EXPECT_THAT(log.problems, IsEmpty());
  EXPECT_THAT(log.entries, SizeIs(2));
  auto changed = lines();
  changed[1] += "x";
  rewrite(changed);
  EXPECT_FALSE(checked().problems.empty()) << "what is torn belongs to the chain";
}

TEST_F(Audit, ManyProcessesMayWriteAtOnce) {
  constexpr int processes = 8, each = 10;
  for (int i = 0; i < processes; ++i)
    if (::fork() == 0) {
      int status = 0;
      try {
        for (int k = 0; k < each; ++k) append("submit");
      } catch (...) {
        status = 1;
      }
      ::_exit(status);
    }
  for (int i = 0; i < processes; ++i) {
    int status = 1;
    ::wait(&status);
    EXPECT_EQ(status, 0);
  }
  const AuditedLog log = checked();
  EXPECT_THAT(log.entries, SizeIs(processes * each));
  EXPECT_THAT(log.problems, IsEmpty());
}

TEST_F(Audit, IsNotWrittenWhereOthersMayWriteIt) {
  append("submit");
  ASSERT_EQ(::chmod(file().c_str(), 0666), 0);
  EXPECT_THROW(append("cancel"), std::runtime_error);
  EXPECT_THAT(checked().problems, ElementsAre(HasSubstr("everybody may write it")));
  fs::remove(file());
  fs::create_symlink("/dev/null", file());
  EXPECT_THROW(append("cancel"), std::system_error);
}

TEST_F(Audit, EveryUserHasALogOfHisOwn) {
  KERNMILL_NEEDS_OTHER_USERS();
  ASSERT_EQ(::chmod(root_.path().c_str(), 01777), 0);
  append("submit");
  for (const uid_t user : {testing::alice, testing::mallory})
    ASSERT_TRUE(testing::as_user(user, [&] { return append("submit").number == 1; }));
  const auto logs = check_audit(root_.path());
  ASSERT_THAT(logs, SizeIs(3));
  for (const AuditedLog& log : logs) EXPECT_THAT(log.problems, IsEmpty()) << log.file;
  ASSERT_EQ(::chown(audit_file(root_.path(), testing::alice).c_str(), testing::mallory, 0), 0);
  EXPECT_THAT(check_audit(root_.path())[1].problems, ElementsAre(HasSubstr("it belongs to")));
}

}  // namespace
}  // namespace kernmill
