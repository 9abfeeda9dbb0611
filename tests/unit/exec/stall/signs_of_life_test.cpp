// When an attempt counts as stalled.
#include "kernmill/exec/stall/signs_of_life.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "kernmill/exec/stall/stall_watch.hpp"
#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Looks again and again at an attempt that is what a test says.
struct Watched {
  explicit Watched(milliseconds limit) : idle(limit, now) {}
  /// Looks as often as it should for so long, at signs that do not change.
  void pass(milliseconds time) {
    for (milliseconds passed{0}; passed < time; passed += idle.interval()) look(idle.interval());
  }
  void look(milliseconds after) { idle.look(now += after, signs); }
  IdleTime::Clock::time_point now{};
  SignsOfLife signs{milliseconds(5'000), "12@1 ", "out.log 10 1\n"};
  IdleTime idle;
};

TEST(IdleTime, IsOverWhenNothingHasChangedForTheLimit) {
  Watched w(minutes(10));
  w.pass(minutes(9));
  EXPECT_FALSE(w.idle.is_over());
  EXPECT_TRUE(w.idle.is_half_over());
  w.pass(minutes(2));
  EXPECT_TRUE(w.idle.is_over());
}

TEST(IdleTime, BeginsAnewWithEachSignOfLife) {
  const std::vector<void (*)(SignsOfLife&)> signs{
      [](SignsOfLife& s) { s.cpu += milliseconds(500); }, [](SignsOfLife& s) { s.cpu -= milliseconds(500); },
      [](SignsOfLife& s) { s.processes = "12@1 13@9 "; }, [](SignsOfLife& s) { s.files = "out.log 11 2\n"; }};
  for (const auto& give : signs) {
    Watched w(minutes(10));
    w.pass(minutes(9));
    give(w.signs);
    w.pass(minutes(9));
    EXPECT_FALSE(w.idle.is_over());
    w.pass(minutes(2));
    EXPECT_TRUE(w.idle.is_over());
  }
}

// A heartbeat thread of 50 microseconds a second, and a program that computes a millisecond in each.
TEST(IdleTime, WhatTimersOfASleepingProgramUseIsNoWork) {
  for (const auto& [used, is_work] : {std::pair{milliseconds(1), false}, {milliseconds(30), true}}) {
    Watched w(minutes(10));
    for (int look = 0; look < 30; ++look) {
      w.signs.cpu += used;
      w.look(seconds(30));
    }
    EXPECT_EQ(w.idle.is_over(), !is_work) << used.count();
  }
}

TEST(IdleTime, TimeInWhichNobodyLookedDoesNotCount) {
  Watched w(minutes(10));
  w.pass(minutes(5));
  w.look(std::chrono::hours(8));  // the job was suspended
  EXPECT_FALSE(w.idle.is_over());
  w.pass(minutes(6));
  EXPECT_TRUE(w.idle.is_over());
}

TEST(IdleTime, WhoIsHeldBySomebodyHasNotStalled) {
  Watched w(minutes(10));
  TreeMember traced;
  traced.state = 't';
  w.signs = signs_of({traced});
  EXPECT_TRUE(w.signs.is_held);
  w.pass(minutes(30));
  EXPECT_FALSE(w.idle.is_over());
}

TEST(IdleTime, RanksThatCannotBeFoundHaveNotStalled) {
  TreeMember launcher;
  launcher.program = "srun";
  Watched w(minutes(10));
  w.signs = signs_of({launcher});
  w.pass(minutes(30));
  EXPECT_FALSE(w.idle.is_over());
}

TEST(LookOf, ChangesWithEachFileInAFolder) {
  const testing::TemporaryDirectory place;
  const auto folder = place.path() / "attempt";
  std::filesystem::create_directories(folder / "deep");
  std::vector<std::string> looks{look_of({folder})};
  const auto expect_new = [&](const std::filesystem::path& file) {
    std::ofstream(file, std::ios::app) << "more";
    looks.push_back(look_of({folder}));
    EXPECT_NE(looks.back(), looks[looks.size() - 2]) << file;
  };
  expect_new(folder / "out.log");
  expect_new(folder / "out.log");
  expect_new(folder / "deep/metrics.txt");
  EXPECT_EQ(look_of({folder}), looks.back());
  EXPECT_EQ(look_of({place.path() / "nothing"}), "");
}

TEST(SumOfLines, IsThatOfAllNodesOrNothing) {
  const std::string line = to_line({milliseconds(20), "1@1 ", ""});
  const auto sum = sum_of_lines("srun: something\n" + line + line, 2);
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->cpu, milliseconds(40));
  EXPECT_FALSE(sum->is_held);
  EXPECT_FALSE(sum_of_lines(line, 2)) << "a node has not answered";
  SignsOfLife held;
  held.is_held = true;
  EXPECT_TRUE(sum_of_lines(line + to_line(held), 2)->is_held);
}

}  // namespace
}  // namespace kernmill::exec
