// An element that waits for a large array reads one file where others have read thousands.
#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>

#include "batch_world.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/submit/generation.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::BatchWorld;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::over;

constexpr int many = 120;

Stage waits_for_all() {
  Stage stage = over(BatchWorld::command("c", "true"), 4);
  stage.needs = {"p"};
  return stage;
}

std::string element(int i) {
  return journal_name("1_" + std::to_string(i), 1);
}

void commit_parents(const RunDirectory& run, int count) {
  for (int i = 0; i < count; ++i) {
    JournalWriter journal(run.journal(), element(i), 0, "exec");
    journal.append(to_record(events::Committed{{"p", static_cast<std::uint32_t>(i), 1}, {}}));
  }
}

class SettledStages : public ::testing::Test {
 protected:
  void commit_parents(int count) { kernmill::commit_parents(world_.run(), count); }
  void forget_parents() {
    for (int i = 0; i < many; ++i)
      fs::remove(world_.run().journal() / (element(i) + ".0." + host_name() + ".exec.jsonl"));
  }
  [[nodiscard]] fs::path note() const { return world_.run().settled() / "p-g1"; }

  BatchWorld world_{{over(BatchWorld::command("p", "true"), many), waits_for_all()}};
};

/// How many files an element opens that waits for so many others; the second, behind the first.
std::ptrdiff_t opens_behind(int parents) {
  BatchWorld world({over(BatchWorld::command("p", "true"), parents), waits_for_all()});
  commit_parents(world.run(), parents);
  EXPECT_EQ(world.run_job("c", 0), 0) << world.log();
  const std::string trace = (world.run().root() / "trace").string();
  world.before = {"strace", "-f", "-e", "trace=openat,open", "-o", trace};
  EXPECT_EQ(world.run_job("c", 1), 0) << world.log();
  const std::string lines = read_file(trace);  // a call that another process came between has two
  std::ptrdiff_t opens = 0;
  for (std::size_t at = 0; (at = lines.find("openat(", at)) != std::string::npos; ++at) ++opens;
  return opens;
}

TEST(AnElement, OpensAsManyFilesBehindALargeArrayAsBehindASmallOne) {
  BatchWorld world({BatchWorld::command("c", "true")});
  world.before = {"strace", "-o", "/dev/null"};
  if (world.run_job("c") != 0) GTEST_SKIP() << "strace may not trace here";
  EXPECT_EQ(opens_behind(400), opens_behind(120));
}

TEST_F(SettledStages, TheFirstNotesItAndOthersReadTheNoteAlone) {
  commit_parents(many);
  ASSERT_EQ(world_.run_job("c", 0), 0) << world_.log();
  forget_parents();
  EXPECT_EQ(world_.run_job("c", 1), 0) << world_.log();
  EXPECT_THAT(world_.events("c", 1), Contains("committed"));
}

TEST_F(SettledStages, ADamagedNoteIsNotBelieved) {
  commit_parents(many);
  ASSERT_EQ(world_.run_job("c", 0), 0) << world_.log();
  std::string text = read_file(note());
  text[4] ^= 1;
  std::ofstream(note()) << text;
  EXPECT_EQ(world_.run_job("c", 1), 0) << world_.log();  // the journal says it, too
  forget_parents();
  std::ofstream(note()) << text;
  world_.environment.emplace_back("KERNMILL_FILE_PATIENCE", "0");
  EXPECT_EQ(world_.run_job("c", 2), 1);
}

TEST_F(SettledStages, NothingIsNotedWhileOneHasNotCommitted) {
  commit_parents(many - 1);
  world_.environment.emplace_back("KERNMILL_FILE_PATIENCE", "0");
  EXPECT_EQ(world_.run_job("c", 0), 1);
  EXPECT_THAT(world_.log(), HasSubstr("p[119]"));
  EXPECT_FALSE(fs::exists(note()));
}

TEST_F(SettledStages, ANoteOfAnotherGenerationIsNone) {
  commit_parents(many);
  ASSERT_EQ(world_.run_job("c", 0), 0) << world_.log();
  world_.submit_again(2, 2, 3);
  world_.generation = 2;
  ASSERT_EQ(world_.run_job("c", 1), 0) << world_.log();
  EXPECT_TRUE(fs::exists(world_.run().settled() / "p-g2"));
}

}  // namespace
}  // namespace kernmill
