// Runs of many small instances: what each costs, and what lies in the run directory.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

class ManyInstances : public ::testing::Test {
 protected:
  /// Runs a stage `a` of `count` instances, and `b` with one that waits for each of them.
  void run(unsigned count, const std::string& more, std::vector<std::string> before = {}) {
    std::ofstream file(folder() / "flow.yaml");
    file << "name: many\nstages:\n  a:\n    matrix: {i: [";
    for (unsigned i = 0; i < count; ++i) file << (i > 0 ? "," : "") << i;
    file << "]}\n    run: echo x=$KERNMILL_INSTANCE >> $KERNMILL_METRICS\n" << more;
    file << "  b:\n    needs: a\n    matrix: {i: [";
    for (unsigned i = 0; i < count; ++i) file << (i > 0 ? "," : "") << i;
    file << "]}\n    env: {X: '${{ stages.a.x }}'}\n    run: test $X = $KERNMILL_INSTANCE\n" << more;
    file.close();
    before.insert(before.end(), {KERNMILL, "run", "flow.yaml", "--quiet"});
    const Finished finished =
        run_program({std::move(before), folder(), {{"KERNMILL_RUNS", ""}, {"KERNMILL_EXEC", KERNMILL_EXEC}}});
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
  }

  [[nodiscard]] const fs::path& folder() const { return place_.path(); }
  [[nodiscard]] RunDirectory last() const { return list_runs(folder() / "runs").back(); }

  /// Opens of files by each kernmill-exec, lowest first: those that it needs and the linker's.
  std::vector<std::size_t> opens(unsigned count) {
    const fs::path trace = folder() / ("trace-" + std::to_string(count));
    fs::create_directory(trace);
    run(count, "", {"strace", "-ff", "-e", "trace=openat,execve", "-o", (trace / "of").string()});
    std::vector<std::size_t> counts;
    for (const auto& file : fs::directory_iterator(trace)) {
      std::ifstream stream(file.path());
      const std::string text(std::istreambuf_iterator<char>(stream), {});
      const std::size_t begin = text.find("execve(\"" KERNMILL_EXEC "\"");
      if (begin == std::string::npos) continue;
      const std::size_t end = std::min(text.size(), text.find("execve(", begin + 1));
      std::size_t opened = 0;
      for (std::size_t at = text.find("openat(", begin); at < end; at = text.find("openat(", at + 1))
        ++opened;
      counts.push_back(opened);
    }
    std::sort(counts.begin(), counts.end());
    return counts;
  }

  /// Bytes that `kernmill status` of the last run reads of files whose paths end like that.
  [[nodiscard]] std::size_t bytes_read(const std::string& ending) const {
    const std::string trace = (folder() / "status-trace").string();
    const Finished status = run_program(
        {{"strace", "-f", "-y", "-s", "0", "-e", "trace=read,pread64", "-o", trace, KERNMILL, "status"},
         folder(),
         {}});
    EXPECT_EQ(status.exit_code, 0) << status.err;
    std::size_t bytes = 0;
    std::ifstream lines(trace);
    for (std::string line; std::getline(lines, line);)
      if (line.find(ending + ">") != std::string::npos) bytes += std::stoul(line.substr(line.rfind('=') + 1));
    return bytes;
  }

  static std::size_t entries(const fs::path& directory) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
  }

 private:
  const TemporaryDirectory place_;
};

TEST_F(ManyInstances, AnAttemptOpensAsManyFilesInALargeRunAsInASmallOne) {
  if (run_program({{"strace", "-o", "/dev/null", "true"}, folder(), {}}).exit_code != 0)
    GTEST_SKIP() << "strace may not trace here";
  const auto small = opens(4), large = opens(60);
  ASSERT_EQ(small.size(), 8U);
  ASSERT_EQ(large.size(), 120U);
  EXPECT_EQ(large.back(), small.back());
  EXPECT_EQ(large.front(), small.front());
}

// Nobody sets cores apart for a job here: two packs would share the first ones, and leave the others idle.
TEST_F(ManyInstances, OfAPackThatHasNotTheWholeMachineArePinnedToNoCore) {
  std::ofstream(folder() / "cores.yaml")
      << "name: cores\nstages:\n  a:\n    pack: 4\n    matrix: {i: [0, 1, 2, 3]}\n"
         "    run: sed -n 's/^Cpus_allowed_list:[^0-9]*/cores=c/p' /proc/self/status > $KERNMILL_METRICS\n";
  const Finished free =
      run_program({{"sed", "-n", "s/^Cpus_allowed_list:[^0-9]*/c/p", "/proc/self/status"}, folder(), {}});
  const Finished finished = run_program({{KERNMILL, "run", "cores.yaml", "--quiet", "--cores", "1"},
                                         folder(),
                                         {{"KERNMILL_RUNS", ""}, {"KERNMILL_EXEC", KERNMILL_EXEC}}});
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  const RunRecord record = fold_journal(last().journal());
  for (unsigned i = 0; i < 4; ++i)
    EXPECT_EQ(record.find("a", i)->metrics.at("cores").get<std::string>() + "\n", free.out);
}

TEST_F(ManyInstances, AreShownByReadingAsMuchOfALargeRunAsOfASmallOne) {
  if (run_program({{"strace", "-o", "/dev/null", "true"}, folder(), {}}).exit_code != 0)
    GTEST_SKIP() << "strace may not trace here";
  run(1'100, "");
  const std::size_t small = bytes_read("/journal/snapshot");
  EXPECT_GT(small, 0U);
  EXPECT_EQ(bytes_read(".jsonl"), 0U) << "the snapshot stands for all of the journal";
  run(1'600, "");
  EXPECT_LE(bytes_read("/journal/snapshot"), small + 100);
  EXPECT_EQ(bytes_read(".jsonl"), 0U);
}

TEST_F(ManyInstances, LeaveAHandfulOfJournalFiles) {
  run(40, "");
  EXPECT_EQ(entries(last().journal()), 1U);
  const RunRecord record = fold_journal(last().journal());
  EXPECT_EQ(record.instances.size(), 80U);
  EXPECT_EQ(record.outcome, "done");
}

TEST_F(ManyInstances, ThatArePackedLeaveTensOfFilesAndTheirLogsAreFound) {
  run(1'100, "");  // packed by itself
  const auto files = static_cast<std::size_t>(
      std::count_if(fs::recursive_directory_iterator(last().root()), {},
                    [](const fs::directory_entry& entry) { return entry.is_regular_file(); }));
  EXPECT_LE(files, 60U);
  const RunRecord record = fold_journal(last().journal());
  ASSERT_EQ(record.instances.size(), 2'200U);
  for (const auto& [key, instance] : record.instances) EXPECT_TRUE(instance.committed) << key.second;
  EXPECT_EQ(record.find("a", 1'099)->metrics.at("x"), 1'099);
  const Finished logs = run_program({{KERNMILL, "logs", "last", "a[1099]"}, folder(), {}});
  EXPECT_EQ(logs.exit_code, 0) << logs.err;
}

}  // namespace
}  // namespace kernmill::testing
