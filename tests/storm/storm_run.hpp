#pragma once
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kernmill/run/directory/run_directory.hpp"
#include "program.hpp"
#include "victims.hpp"

namespace kernmill::testing {

enum class RunKind { local, local_packed, slurm, slurm_packed };
std::string_view to_string(RunKind kind);
bool is_on_cluster(RunKind kind);

/// What befell one run.
struct StormReport {
  std::map<Role, unsigned> kills;
  unsigned resumes = 0;
  unsigned commits = 0;
  unsigned repeated_commits = 0, lost = 0;
  std::string model;                  ///< SHA-256 of what was trained
  std::vector<std::string> findings;  ///< what must not be
};

/// One run of a workflow whose processes are killed at random moments, and which `kernmill resume` has to
/// finish. What happens is decided by `seed` as far as the moments that programs take allow it. All of it is
/// told in `folder`/storm.log.
class StormRun {
 public:
  struct Options {
    RunKind kind = RunKind::local;
    std::uint64_t seed = 0;
    unsigned kills = 0;
    std::filesystem::path folder;                               ///< its own, and there
    std::function<bool(const std::string& run)> has_live_jobs;  ///< on the cluster
  };
  explicit StormRun(Options options);
  StormReport go();

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] bool on_cluster() const { return is_on_cluster(options_.kind); }
  [[nodiscard]] std::uint64_t random(std::uint64_t below) { return random_() % below; }
  [[nodiscard]] std::optional<RunDirectory> run() const;
  [[nodiscard]] bool has_begun() const;
  [[nodiscard]] std::string outcome();
  [[nodiscard]] Invocation kernmill(std::vector<std::string> words) const;
  void tell(const std::string& line);
  void find(const std::string& what);
  void start_or_resume();
  void hear_the_end();
  void disturb();
  bool kill_one();
  void kill_some();
  bool is_at_rest();
  bool waits_for_rest();
  void check();
  void check_attempts();
  void check_ledger(const std::map<std::string, unsigned>& committed);

  Options options_;
  std::mt19937_64 random_;
  std::ofstream log_;
  Clock::time_point begun_ = Clock::now();
  std::unique_ptr<Program> program_, client_;
  bool killed_program_ = false;
  unsigned kills_left_ = 0;
  StormReport report_;
};

}  // namespace kernmill::testing
