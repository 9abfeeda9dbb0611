// Faults of all kinds, on checkpoints and on datasets: never is anything loaded that is not what was written,
// there always is a valid checkpoint, and no more is lost than what was being written. CI takes a few of
// each; KERNMILL_LONG=1 a thousand.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <utility>

#include <gmock/gmock.h>

#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;
using std::chrono::milliseconds;

bool is_long() {
  const char* value = std::getenv("KERNMILL_LONG");
  return value != nullptr && std::string(value) == "1";
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What the journal of the writer says in the end; skipped and corrupt are of the last load.
struct Told {
  long loaded = 0, skipped = 0, saved = 0, failed = 0, lines = 0;
  bool corrupt = false;
};

Told told(const fs::path& journal) {
  Told result;
  std::ifstream in(journal);
  bool corrupt = false;
  for (std::string line; std::getline(in, line); ++result.lines) {
    std::istringstream words(line);
    std::string what, skipped;
    long step = 0, many = 0;
    words >> what >> step >> skipped >> many;
    if (what == "corrupt") corrupt = true;
    if (what == "saved") result.saved = step;
    if (what == "failed") ++result.failed;
    if (what == "loaded") {
      result.loaded = step;
      result.skipped = many;
      result.corrupt = std::exchange(corrupt, false);
    }
  }
  return result;
}

/// A directory that fault_writer works in.
class FaultWorld {
 public:
  explicit FaultWorld(std::string kind) : kind_(std::move(kind)) {}

  [[nodiscard]] fs::path directory() const { return place_.path(); }
  [[nodiscard]] Told told() const { return testing::told(directory() / "journal"); }
  [[nodiscard]] std::vector<std::string> words(long writes, long fail = 0) const {
    return {KERNMILL_FAULT_WRITER, kind_, directory().string(), std::to_string(writes), std::to_string(fail)};
  }
  [[nodiscard]] Invocation on_ranks(int ranks, long writes, long fail = 0) const {
    std::vector<std::string> argv{KERNMILL_MPIEXEC, "-n", std::to_string(ranks)};
    for (std::string& word : words(writes, fail)) argv.push_back(std::move(word));
    return {argv, directory(), {{"HYDRA_LAUNCHER", "fork"}, {"MPIR_CVAR_ENABLE_HEAVY_YIELD", "1"}}};
  }
  /// Loads, and compares, in a process of its own: a crash is seen.
  [[nodiscard]] Told load() const {
    const Finished finished = run_program({words(0), directory(), {}});
    EXPECT_EQ(finished.exit_code, 0) << finished.out << finished.err;
    return told();
  }
  void write(long writes) const {
    const Finished finished = run_program(on_ranks(2, writes));
    ASSERT_EQ(finished.exit_code, 0) << finished.out << finished.err;
  }
  [[nodiscard]] int pid_of(int rank) const {
    return std::atoi(content(directory() / ("pid." + std::to_string(rank))).c_str());
  }

 private:
  std::string kind_;
  TemporaryDirectory place_;
};

/// Prints what happened, at the end of a test.
class Counts {
 public:
  explicit Counts(std::string title) : title_(std::move(title)) {}
  ~Counts() {
    std::printf("%s:", title_.c_str());
    for (const auto& [what, many] : counts_) std::printf(" %ld %s,", many, what.c_str());
    std::printf(" %ld loads, %ld of them corrupt\n", loads_, corrupt_);
  }
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;
  long& operator[](const std::string& what) { return counts_[what]; }
  /// Of a load; passes it on.
  const Told& seen(const Told& load) {
    ++loads_;
    if (load.corrupt) ++corrupt_;
    EXPECT_FALSE(load.corrupt);
    return load;
  }

 private:
  std::string title_;
  std::map<std::string, long> counts_;
  long loads_ = 0, corrupt_ = 0;
};

class InjectedFaults : public ::testing::TestWithParam<const char*> {
 protected:
  std::mt19937 random{20261122};
  [[nodiscard]] bool on_checkpoints() const { return kind().starts_with("checkpoint") || kind() == "floats"; }
  [[nodiscard]] static std::string kind() { return GetParam(); }
  /// How many times: in CI, where variants have fewer, and in the thousand.
  [[nodiscard]] static int times(int in_ci, int in_long) {
    if (is_long()) return in_long;
    return kind() == "checkpoint" || kind() == "dataset" ? in_ci : (in_ci + 2) / 3;
  }
  long below(long end) { return static_cast<long>(random() % static_cast<unsigned long>(end)); }

  /// Ranks write on and on, until at a random moment they are killed, or one of them is.
  void kill_in_mid_write(const FaultWorld& world, int ranks, bool all) {
    const long lines = world.told().lines + below(4);
    Program program(world.on_ranks(ranks, 1000000));
    while (world.told().lines <= lines)
      ASSERT_FALSE(program.ends_within(milliseconds(1))) << program.wait().err;
    ASSERT_FALSE(program.ends_within(microseconds(below(30000))));
    const int only = static_cast<int>(below(ranks));
    for (int rank = 0; rank < ranks; ++rank)
      if (all || rank == only) kill(world.pid_of(rank), SIGKILL);
    program.wait();  // what mpiexec makes of it differs: that of MPICH 4.2 may return 0 when one of two is
                     // killed
  }
};

TEST_P(InjectedFaults, WritersThatAreKilledLoseNothingThatWasThere) {
  Counts counts(std::string(GetParam()) + ", kill -9");
  const FaultWorld world(GetParam());
  long saved = 0;
  for (int i = 0; i < times(8, 60); ++i) {
    const bool all = i % 3 != 0;
    kill_in_mid_write(world, 2 + i % 3, all);
    if (HasFatalFailure()) return;
    saved = std::max(saved, world.told().saved);
    const Told now = counts.seen(world.load());
    // The newest may have got its name without having been told yet.
    EXPECT_GE(now.loaded, saved);
    EXPECT_LE(now.loaded, saved + 1);
    EXPECT_EQ(now.skipped, 0) << "a killed writer left something under a final name";
    ++counts[all ? "all ranks killed" : "one rank lost"];
  }
  counts["steps written"] = saved;
}

// The newest of two is damaged; what is loaded is one of them, with every number right.
TEST_P(InjectedFaults, DamagedFilesAreNeverLoadedAsSomethingElse) {
  const FaultWorld world(GetParam());
  ASSERT_NO_FATAL_FAILURE(world.write(2));
  const fs::path newest = world.directory() / (on_checkpoints() ? "step-2.h5" : "dataset-2.h5");
  const std::string whole = content(newest);
  if (!whole.ends_with("KMCHECK2"))
    GTEST_SKIP() << "files of format version 1 have no checksums of everything";
  Counts counts(std::string(GetParam()) + ", damage");
  for (int i = 0; i < times(16, 80); ++i) {
    std::string damaged = whole;
    const bool cut = i % 4 == 0;
    if (cut) damaged.resize(static_cast<std::size_t>(below(static_cast<long>(whole.size()))));
    for (long flips = cut ? 0 : 1 + below(3); flips > 0; --flips) {
      // Every other one near the beginning, where the structure is.
      const long end = i % 2 == 0 ? static_cast<long>(whole.size()) : 8192;
      const auto at = static_cast<std::size_t>(below(end));
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << below(8)));
    }
    std::filesystem::remove(newest);  // which is read-only
    std::ofstream(newest, std::ios::binary) << damaged;
    const Told now = counts.seen(world.load());
    EXPECT_GE(now.loaded, 1);
    EXPECT_EQ(now.loaded == 2, now.skipped == 0);
    ++counts[cut ? "truncated" : "with flipped bits"];
    ++counts[now.loaded == 2 ? "unharmed" : "passed over"];
  }
}

// At a random step of a commit a rank is told that the disk is full.
TEST_P(InjectedFaults, AFullDiskLeavesWhatWasThere) {
  Counts counts(std::string(GetParam()) + ", full disk");
  const FaultWorld world(GetParam());
  ASSERT_NO_FATAL_FAILURE(world.write(2));
  for (int i = 0; i < times(6, 40); ++i) {
    const Told before = world.told();
    const Finished finished = run_program(world.on_ranks(2 + i % 2, 3, 1 + below(14)));
    ASSERT_EQ(finished.exit_code, 0) << finished.err;
    const Told after = world.told();
    EXPECT_LE(after.failed, before.failed + 1);
    counts["failed"] += after.failed - before.failed;
    EXPECT_EQ(counts.seen(world.load()).loaded, std::max(after.saved, before.saved));
    ++counts["injected"];
  }
  EXPECT_GT(counts["failed"], 0);
}

// The real thing: a file system that holds two checkpoints and part of a third.
TEST_P(InjectedFaults, AFileSystemThatIsFullLeavesWhatWasThere) {
  Counts counts(std::string(GetParam()) + ", full file system");
  for (int i = 0; i < times(2, 20); ++i) {
    const FaultWorld world(GetParam());
    const std::string mount = "mount -t tmpfs -o size=" + std::to_string(2200 + below(700)) + "k tmpfs " +
                              world.directory().string();
    if (run_program({{"unshare", "-rm", "sh", "-c", mount}, "/", {}}).exit_code != 0)
      GTEST_SKIP() << "mount namespaces are not allowed here";
    std::string write, load;
    for (const std::string& word : world.on_ranks(2, 5).argv) write += word + " ";
    for (const std::string& word : world.words(0)) load += word + " ";
    const Finished finished = run_program(
        {{"unshare", "-rm", "sh", "-c",
          mount + " && " + write + " >&2; " + load + " >&2; cat " + world.directory().string() + "/journal"},
         "/",
         {{"HYDRA_LAUNCHER", "fork"}, {"MPIR_CVAR_ENABLE_HEAVY_YIELD", "1"}}});
    std::ofstream(world.directory() / "journal") << finished.out;
    const Told now = counts.seen(world.told());
    EXPECT_GT(now.failed, 0) << finished.out << finished.err;
    EXPECT_EQ(now.loaded, now.saved) << finished.out << finished.err;
    counts["failed"] += now.failed;
    ++counts["file systems"];
  }
}

INSTANTIATE_TEST_SUITE_P(Of, InjectedFaults,
                         ::testing::Values("checkpoint", "floats", "dataset", "mixed", "sparse",
                                           "checkpoint-mpiio", "dataset-mpiio", "sparse-mpiio"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace kernmill::testing
