#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernmill/os/stop_requests.hpp"
#include "kernmill/plan/job_plan.hpp"
#include "kernmill/plan/packed_instance.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/commit_table.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// What an element has still to run: its instances without those that have committed, were skipped, or have
/// failed for good since its array was submitted. `attempt` is the element's: array.attempt and its restarts.
std::vector<PackedInstance> left_to_run(const Plan& plan, const ArrayPlan& array, std::uint32_t element,
                                        unsigned attempt, const RunRecord& record);

/// Whether an instance may run, and why not.
struct Admission {
  enum class What { run, skip, fail };
  What what = What::run;
  std::string why;
};

struct PackOptions {
  const RunDirectory& run;
  const Plan& plan;
  const ArrayPlan& array;
  std::vector<PackedInstance> instances = {};
  std::string job = {};  ///< the element, as the batch system names it
  unsigned restart = 0;
  std::string journal_name = {};  ///< how the names of its journal files begin; empty: with `job`
  [[nodiscard]] const std::string& name() const { return journal_name.empty() ? job : journal_name; }
  /// The number that attempts of this start have, as the name of its journal file makes known. A higher one
  /// is journalled before it begins, so that none is used twice after a kill. 0: somebody else has done that.
  unsigned attempt = 0;
  /// Starts an instance of several ranks, on the element's node.
  std::string launcher = "mpiexec -n {ntasks}";
  std::string node = {};   ///< by the batch system's name
  std::string token = {};  ///< KERNMILL_TOKEN of all processes; empty: this process's
  bool no_cache = false;
  bool fail_fast = false;  ///< after more failures than the stage's max_fails, nothing new starts
  /// Others run beside it on the same cores: its instances are pinned to none.
  bool shares_cores = false;
  std::uint64_t mem = 0;  ///< bytes that the element got; 0: what the array asked for
  /// What the journal says of an instance's parents. Empty: every instance may run. Its own `when` is looked
  /// at besides.
  std::function<Admission(InstanceId)> admit = {};
  std::chrono::milliseconds flush_interval{100};  ///< a record is durable so long after it was made, at most
  std::chrono::milliseconds heartbeat{30'000};    ///< so often the journal's file is touched, to show life
  /// That instances have after a request to stop. When it says that time is short (SIGUSR1), they have what
  /// `time_left` gives, if that knows: 0 is not known.
  std::chrono::milliseconds stop_grace{20'000};
  std::function<std::chrono::milliseconds()> time_left = {};
  std::optional<std::chrono::system_clock::time_point> end =
      {};                                     ///< of the element's job; nothing: not known
  std::function<void()> new_checkpoint = {};  ///< called for an instance that was stopped and has left one
};

/// Runs the instances of a packed element: `array.slots` of them side by side, each on its share of this
/// process's cores unless others use them, too, the next as soon as one has ended. Each has its records in
/// the journal; a directory only when it failed or left artifacts. One that ran out of memory is tried again
/// alone; other failures as its stage's `retries` say. Returns 0 when all of them have been dealt with,
/// failed ones too, and 75 when a request to stop came before that. Throws when the journal cannot be
/// written, and when another process carries out the element now; no instance is left running then.
int run_pack(const PackOptions& options, CommitTable commits, JournalWriter& journal, StopRequests& stop);

}  // namespace kernmill::exec
