#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster.hpp"

namespace kernmill {

/// The number that the next act of submitting gets: above that of each one which has left a record, a journal
/// file (its process may have died before it wrote a record), or a job in the queue.
unsigned next_generation(const RunDirectory& run, const RunRecord& record,
                         const std::vector<ClusterJob>& jobs);

/// Whether jobs of the run may be, or have been, on a cluster: it was meant for one from its beginning, or
/// somebody has submitted it.
bool was_submitted(const RunDirectory& run, const RunRecord& record);

/// How the journal names a job: "12_3-g2". A batch system that has lost its state gives out the same ids
/// again, so the generation belongs to the name.
std::string journal_name(const std::string& job, unsigned generation);

/// What the name of a job's file in the journal says: `<job>[-g<generation>].<restart>.<host>.<role>.jsonl`.
struct JobFile {
  std::string job;          ///< "12_3", "12"
  unsigned generation = 0;  ///< 0: of a version that did not name it
  unsigned restart = 0;
};
/// {} when it is no file of a job on a cluster.
std::optional<JobFile> job_file(std::string_view name);

/// Which jobs have begun, as the names in the journal say: a job makes its file before it does anything, and
/// the name is durable then.
class BegunJobs {
 public:
  explicit BegunJobs(const std::filesystem::path& journal);
  /// How often a job of a generation was started, as far as it has left files; 0: never.
  [[nodiscard]] unsigned starts(const std::string& job, unsigned generation) const;

 private:
  std::map<std::pair<std::string, unsigned>, unsigned> starts_;  ///< by job and generation
};

}  // namespace kernmill
