#include "kernmill/storage/tool/guard.hpp"

#include <algorithm>
#include <csignal>
#include <thread>

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

// A thread of a library that MPI starts took the signal of the child's end, and the whole patience passed.
TEST(Guard, SeesTheEndOfTheChildWhereOtherThreadsAre) {
  int closed[2];
  ASSERT_EQ(::pipe(closed), 0);
  std::thread other([&] {
    char nothing = 0;
    EXPECT_EQ(::read(closed[0], &nothing, 1), 0);
  });
  std::chrono::steady_clock::duration longest{0};
  for (int i = 0; i < 3000; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    in_child(
        [i](std::string&) {  // ends just before, when, or after its parent begins to wait
          const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(i % 60);
          while (std::chrono::steady_clock::now() < until) {
          }
          return 0;
        },
        seconds{30});
    longest = std::max(longest, std::chrono::steady_clock::now() - begun);
  }
  ::close(closed[1]);
  other.join();
  ::close(closed[0]);
  EXPECT_LT(longest, seconds{15});
}

}  // namespace
}  // namespace kernmill::storage::tool
