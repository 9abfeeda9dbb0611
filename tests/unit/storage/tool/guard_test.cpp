#include "kernmill/storage/tool/guard.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <unistd.h>

namespace kernmill::storage::tool {
namespace {

using std::chrono::seconds;

TEST(Guard, GivesBackWhatTheChildSaysAndReturns) {
  const ChildEnd end = in_child([](std::string& said) { return said = "well", 7; }, seconds{20});
  EXPECT_EQ(end.exit_code, 7);
  EXPECT_EQ(end.said, "well");
  EXPECT_EQ(end.signal, 0);
}

TEST(Guard, SurvivesACrash) {
  const ChildEnd end = in_child(
      [](std::string&) {
        ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would catch it
        return ::raise(SIGSEGV);
      },
      seconds{20});
  EXPECT_EQ(end.signal, SIGSEGV);
}

TEST(Guard, EndsWhatDoesNotEnd) {
  const ChildEnd end = in_child(
      [](std::string&) {
        for (;;) ::pause();
        return 0;
      },
      seconds{1});
  EXPECT_TRUE(end.timed_out);
}

}  // namespace
}  // namespace kernmill::storage::tool
