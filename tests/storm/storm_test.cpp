// kill -9 at random moments, of whatever of ours belongs to a run: conductors, submitters, kernmill-exec, the
// guard of a pack, the closing job, srun and ranks with our plug-ins in them. `kernmill resume` has to finish
// every run, with no committed work done twice and none lost.
//
//   test_storm --kills 1000 --seed 7 --lanes 4 --only slurm
//
// A storm is a row of runs. What becomes of the n-th is decided by the seed, n, and when the programs happen
// to get where. Folders of runs with findings stay, and are named.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kernmill/run/submit/settling.hpp"
#include "slurm_world.hpp"
#include "storm_run.hpp"

namespace fs = std::filesystem;

namespace kernmill::testing {
namespace {

struct StormOptions {
  std::uint64_t seed = 20261129;
  unsigned kills = 16;
  unsigned lanes = 3;
  unsigned first = 0;
  std::string only;  ///< the beginning of the kinds of runs that are wanted
};
StormOptions options;

/// Whether jobs of a run are in the queue, for several threads. What was known half a second ago is a yes; a
/// no is asked for anew, since jobs may have been submitted meanwhile.
class Queue {
 public:
  bool has_live_jobs(const std::string& run) try {
    const std::lock_guard guard(mutex_);
    if (!cluster_) cluster_ = SlurmWorld::open();
    const RunDirectory named("/" + run);
    const bool is_fresh = std::chrono::steady_clock::now() - asked_ < std::chrono::milliseconds(500);
    if (is_fresh && !live_jobs(named, jobs_).empty()) return true;
    jobs_ = cluster_->jobs();
    asked_ = std::chrono::steady_clock::now();
    return !live_jobs(named, jobs_).empty();
  } catch (const ClusterError&) {
    return true;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Cluster> cluster_;
  std::vector<ClusterJob> jobs_;
  std::chrono::steady_clock::time_point asked_{};
};

class Storm {
 public:
  Storm(fs::path folder, std::vector<RunKind> kinds) : folder_(std::move(folder)), kinds_(std::move(kinds)) {}

  void rage() {
    std::vector<std::thread> lanes;
    for (unsigned lane = 0; lane < options.lanes; ++lane) lanes.emplace_back([this] { carry_out_runs(); });
    for (std::thread& lane : lanes) lane.join();
  }

  void print() {
    std::map<Role, unsigned> roles;
    unsigned kills = 0, runs = 0, resumes = 0, commits = 0, repeated = 0, lost = 0;
    fmt::print("{:<16}{:>6}{:>8}{:>9}{:>9}{:>10}{:>6}\n", "", "runs", "kills", "resumes", "commits",
               "repeated", "lost");
    for (const auto& [kind, sum] : sums_) {
      fmt::print("{:<16}{:>6}{:>8}{:>9}{:>9}{:>10}{:>6}\n", to_string(kind), sum.runs, sum.kills, sum.resumes,
                 sum.commits, sum.repeated, sum.lost);
      runs += sum.runs, kills += sum.kills, resumes += sum.resumes;
      commits += sum.commits, repeated += sum.repeated, lost += sum.lost;
    }
    fmt::print("{:<16}{:>6}{:>8}{:>9}{:>9}{:>10}{:>6}\n\n", "all", runs, kills, resumes, commits, repeated,
               lost);
    for (const auto& [role, count] : kills_by_role_) fmt::print("  {:>5}  {}\n", count, to_string(role));
    fmt::print("findings: {}\n", findings_);
  }

  [[nodiscard]] unsigned findings() const { return findings_; }
  [[nodiscard]] unsigned kills() const { return kills_; }

 private:
  struct Sum {
    unsigned runs = 0, kills = 0, resumes = 0, commits = 0, repeated = 0, lost = 0;
  };

  void carry_out_runs() {
    while (kills_ < options.kills) {
      const unsigned number = next_++;
      const RunKind kind = kinds_[number % kinds_.size()];
      std::seed_seq both{options.seed, std::uint64_t{number}};
      std::mt19937_64 random(both);
      const fs::path folder = folder_ / fmt::format("run-{}", number);
      fs::create_directories(folder);
      const unsigned kills = 1 + static_cast<unsigned>(random() % 8);
      StormRun run({.kind = kind,
                    .seed = random(),
                    .kills = kills,
                    .folder = folder,
                    .has_live_jobs = [this](const std::string& name) { return queue_.has_live_jobs(name); }});
      add(kind, folder, run.go());
    }
  }

  void add(RunKind kind, const fs::path& folder, StormReport report) {
    const std::lock_guard guard(mutex_);
    Sum& sum = sums_[kind];
    ++sum.runs;
    sum.resumes += report.resumes;
    sum.commits += report.commits;
    sum.repeated += report.repeated_commits;
    sum.lost += report.lost;
    unsigned kills = 0;
    for (const auto& [role, count] : report.kills) {
      kills += count;
      sum.kills += count;
      kills_ += count;
      kills_by_role_[role] += count;
    }
    if (model_.empty()) model_ = report.model;
    if (!report.model.empty() && report.model != model_)
      report.findings.push_back(fmt::format("another model was trained: {}, not {}", report.model, model_));
    findings_ += static_cast<unsigned>(report.findings.size());
    for (const std::string& what : report.findings)
      ADD_FAILURE() << to_string(kind) << ", " << folder.string() << ": " << what;
    std::error_code ignored;
    if (report.findings.empty()) fs::remove_all(folder, ignored);
    fmt::print("{} kills; {} in {} ({}), {} resumes{}\n", kills_.load(), kills, folder.filename().string(),
               to_string(kind), report.resumes, report.findings.empty() ? "" : ": FOUND SOMETHING");
    std::fflush(stdout);
  }

  fs::path folder_;
  std::vector<RunKind> kinds_;
  Queue queue_;
  std::atomic<unsigned> next_{options.first}, kills_{0};
  std::mutex mutex_;
  std::map<RunKind, Sum> sums_;
  std::map<Role, unsigned> kills_by_role_;
  std::string model_;
  unsigned findings_ = 0;
};

std::vector<RunKind> wanted_kinds(bool with_cluster) {
  std::vector<RunKind> kinds;
  for (const RunKind kind : {RunKind::slurm, RunKind::local, RunKind::slurm_packed, RunKind::local_packed})
    if (to_string(kind).starts_with(options.only) && (with_cluster || !is_on_cluster(kind)))
      kinds.push_back(kind);
  return kinds;
}

TEST(Storm, EveryRunIsFinishedByResumeWhoeverIsKilled) {
  const std::string no_slurm = no_slurm_because();
  const auto kinds = wanted_kinds(no_slurm.empty());
  if (!no_slurm.empty()) fmt::print("no runs on a cluster: {}\n", no_slurm);
  if (kinds.empty()) GTEST_SKIP() << no_slurm;
  std::optional<SlurmWorld> world;
  if (std::any_of(kinds.begin(), kinds.end(), is_on_cluster)) {
    world.emplace();
    std::ofstream(world->configuration().parent_path() / "plugstack.conf")
        << "optional " KERNMILL_SPANK_FILE "\n";
  }
  std::string name = (fs::temp_directory_path() / "kernmill-storm-XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  Storm storm(fs::canonical(name), kinds);
  storm.rage();
  storm.print();
  EXPECT_GE(storm.kills(), options.kills);
  if (storm.findings() == 0) fs::remove_all(name);
}

/// `--NAME VALUE`; nothing when it is not there.
const char* value_of(const std::vector<std::string>& words, const std::string& name) {
  const auto at = std::find(words.begin(), words.end(), "--" + name);
  return at == words.end() || at + 1 == words.end() ? nullptr : (at + 1)->c_str();
}

void read_options(const std::vector<std::string>& words) {
  if (is_long()) options.kills = 200;
  if (const char* seed = value_of(words, "seed")) options.seed = std::stoull(seed);
  if (const char* kills = value_of(words, "kills")) options.kills = static_cast<unsigned>(std::stoul(kills));
  if (const char* lanes = value_of(words, "lanes")) options.lanes = static_cast<unsigned>(std::stoul(lanes));
  if (const char* first = value_of(words, "first")) options.first = static_cast<unsigned>(std::stoul(first));
  if (const char* only = value_of(words, "only")) options.only = only;
}

}  // namespace
}  // namespace kernmill::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  kernmill::testing::read_options({argv + 1, argv + argc});
  return RUN_ALL_TESTS();
}
