#include <csignal>

#include <gtest/gtest.h>

#include "kernmill/storage/error.hpp"
#include "kernmill/tasks/comm/last_word.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

class Ranks : public ::testing::Test {
 protected:
  Communicator comm{MPI_COMM_WORLD};
  [[nodiscard]] int last() const { return comm.size() - 1; }
};

TEST_F(Ranks, AgreeOnTheLowestRanksError) {
  try {
    comm.agree([&] {
      if (comm.rank() == last()) throw TaskError("last", "file:9:9", "nothing");
      if (comm.rank() == last() - 1) throw TaskError("last but one", "file:3:1", "mend it");
    });
    FAIL() << "no error";
  } catch (const TaskError& e) {
    const bool alone = comm.size() == 1;
    EXPECT_STREQ(e.what(), alone ? "last" : "last but one");
    EXPECT_EQ(e.where, alone ? "file:9:9" : "file:3:1");
    EXPECT_EQ(e.help, alone ? "nothing" : "mend it");
  }
}

TEST_F(Ranks, AgreeOnErrorsOfStorageAndOfTheSpec) {
  const auto on_last = [&](const auto& error) {
    comm.agree([&] {
      if (comm.rank() == last()) throw error;
    });
  };
  EXPECT_THROW(on_last(storage::Error("file")), TaskError);
  EXPECT_THROW(on_last(SpecError("spec")), SpecError);
  EXPECT_NO_THROW(comm.agree([] {}));
}

TEST_F(Ranks, HearTheLowestRanksLastWord) {
  const LastWord last_word(comm);
  EXPECT_FALSE(*last_word.exchange({}, std::chrono::seconds(10)));
  Failure own;
  if (comm.rank() == last()) own = Failure::of([] { throw TaskError("bad", "here", "help"); });
  const auto heard = last_word.exchange(own, std::chrono::seconds(10));
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->message, "bad");
  EXPECT_EQ(heard->where, "here");
}

TEST_F(Ranks, GatherAndScanInTheirOrder) {
  const std::vector<int> own(static_cast<std::size_t>(comm.rank()), comm.rank());
  std::vector<int> expected;
  for (int r = 0; r < comm.size(); ++r) expected.insert(expected.end(), static_cast<std::size_t>(r), r);
  EXPECT_EQ(comm.allgatherv(std::span<const int>(own)), expected);
  EXPECT_EQ(comm.exscan(std::uint64_t{1}), static_cast<std::uint64_t>(comm.rank()));
  std::string text = comm.is_root() ? "from the root" : "";
  comm.bcast(text);
  EXPECT_EQ(text, "from the root");
}

TEST_F(Ranks, ExchangeWhatIsNotTheirOwn) {
  const auto ranks = static_cast<std::size_t>(comm.size()), own = static_cast<std::size_t>(comm.rank());
  std::vector<std::vector<int>> given(ranks), got(ranks), expected(ranks);
  std::vector<std::span<const int>> to;
  std::vector<std::span<int>> from;
  for (std::size_t r = 0; r < ranks; ++r) {
    given[r].assign(r, static_cast<int>(10 * own + r));  // rank 0 gets nothing
    got[r].assign(own, -1);
    expected[r].assign(own, r == own ? -1 : static_cast<int>(10 * r + own));
    to.emplace_back(given[r]);
    from.emplace_back(got[r]);
  }
  comm.exchange<int>(to, from);
  EXPECT_EQ(got, expected);
}

TEST_F(Ranks, CompleteWhatEachHasAPartOf) {
  std::vector<int> all, expected;
  std::vector<std::uint64_t> counts;
  for (int r = 0; r < comm.size(); ++r) {
    counts.push_back(static_cast<std::uint64_t>(r % 3));
    all.insert(all.end(), counts.back(), r == comm.rank() ? r : -1);
    expected.insert(expected.end(), counts.back(), r);
  }
  comm.complete(std::span(all), std::span<const std::uint64_t>(counts));
  EXPECT_EQ(all, expected);
}

TEST_F(Ranks, CompareUnsignedNumbersAsSuch) {
  const std::uint64_t most = UINT64_MAX, own = comm.is_root() ? 1 : most;
  EXPECT_EQ(comm.allreduce(own, Reduction::min), 1U);
  EXPECT_EQ(comm.allreduce(own, Reduction::max), comm.size() == 1 ? 1 : most);
  EXPECT_EQ(comm.allreduce(std::uint64_t{1} << 63U, Reduction::min), std::uint64_t{1} << 63U);
}

TEST_F(Ranks, SplitByColour) {
  const Communicator half = comm.split(comm.rank() % 2, -comm.rank());
  EXPECT_EQ(half.size(), (comm.size() + 1 - comm.rank() % 2) / 2);
  EXPECT_EQ(half.allreduce(comm.rank() % 2, Reduction::max), comm.rank() % 2);
}

// The last test: a signal is not forgotten.
TEST_F(Ranks, StopTogetherWhenOneIsSignalled) {
  remember_stop_signals();
  EXPECT_FALSE(agree_to_stop(comm));
  if (comm.rank() == last()) std::raise(SIGTERM);
  EXPECT_TRUE(agree_to_stop(comm));
}

}  // namespace
}  // namespace kernmill::tasks
