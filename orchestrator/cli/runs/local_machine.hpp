#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/os/stop_signals.hpp"
#include "kernmill/plan/instance_plan.hpp"
#include "kernmill/run/cache/cache.hpp"
#include "kernmill/run/conductor/conductor.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/gathered_files.hpp"

namespace kernmill::cli {

/// The world as a conductor of this machine meets it: its clock, the files of a run, the cache beside it.
class LocalMachine {
 public:
  struct Options {
    bool no_cache = false;
    int cores = 1;          ///< of the machine, that jobs may use
    std::uint64_t mem = 0;  ///< bytes, likewise
  };
  /// Everything given has to outlive this.
  LocalMachine(const RunDirectory& run, const Plan& plan, const StopSignals& stop, JournalWriter& journal,
               Options options);
  /// What a Conductor takes; it refers to this object.
  [[nodiscard]] ConductorPorts ports();
  /// What was made of the plan has to be made again.
  void plan_has_grown() { plans_.reset(); }
  /// Once nothing runs any more: gathers what jobs have journalled.
  void gather() { gathered_.flush(); }

 private:
  [[nodiscard]] std::vector<Record> job_records(const JobId& job);
  void put_away(const JobId& job);
  [[nodiscard]] Packing packing(std::uint32_t stage) const;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_for(const Stage& stage) const;
  [[nodiscard]] JobSpec pack_spec(const PackOrder& order) const;
  [[nodiscard]] JobSpec job_size(InstanceId id, const AttemptScale& scale) const;
  [[nodiscard]] JobSpec job_spec(const AttemptOrder& order);
  [[nodiscard]] std::filesystem::path journal_file(const JobId& job) const;
  [[nodiscard]] CacheAnswer from_cache(InstanceId id, unsigned attempt, const CommitTable& commits);
  void end_leftovers(InstanceId id, unsigned attempt) const;
  [[nodiscard]] std::filesystem::path attempt_directory(InstanceId id, unsigned attempt) const;

  const RunDirectory& run_;
  const Plan& plan_;
  std::optional<InstancePlans> plans_;  ///< made for the first attempt that is not packed
  const StopSignals& stop_;
  GatheredFiles gathered_;
  std::map<JobId, std::uintmax_t> read_;  ///< so much of each running job's journal
  Options options_;
  Programs programs_;
  DigestStore digests_;
  Cache cache_;
  ProgramDigests program_digests_;
};

}  // namespace kernmill::cli
