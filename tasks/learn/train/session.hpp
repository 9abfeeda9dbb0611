#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/monitor/loss_watch.hpp"
#include "kernmill/tasks/learn/monitor/monitor.hpp"
#include "kernmill/tasks/learn/rows/leaf_shares.hpp"
#include "kernmill/tasks/learn/rows/reading.hpp"
#include "kernmill/tasks/learn/train/checkpoint_schedule.hpp"

namespace kernmill::tasks {

/// Where a training run keeps its checkpoints. Without a directory it keeps none.
struct CheckpointPolicy {
  std::filesystem::path directory;
  CheckpointInterval interval;
  storage::Retention retention;
  std::string identity;  ///< of what is trained: a checkpoint of anything else is not continued
  /// An earlier attempt's numbers were not finite in the end: its checkpoints are continued with another
  /// learning rate, too.
  bool after_divergence = false;
  std::optional<storage::Key> key;
  storage::TransportSettings transport{};
  /// What the ranks' products are made by, and whether the bits of the model matter, which depend on that:
  /// then a checkpoint of other products is an error, not a warning.
  std::set<std::string> products{};
  bool is_exact = false;
};

/// What a rank may want of the others; bits of Session::wishes.
enum Wish : unsigned {
  wish_to_stop = 1,       ///< it was asked to
  wish_to_save = 2,       ///< by its clock a checkpoint is due
  wish_to_settle = 4,     ///< steps are long, and its part of a checkpoint is written: let us publish it now
  wish_to_tell = 8,       ///< by its clock a line of metrics is due, at the end of an epoch
  wish_to_tell_now = 16,  ///< epochs are long: at any step
};

/// Throws TaskError where these are several, for a training whose bits matter.
void require_one_kind(const std::set<std::string>& products);

/// What goes on around a method's steps: checkpoints, the request to stop, progress on stdout, the file of
/// metrics. All ranks call it with the same numbers.
///
/// A checkpoint is written while training goes on. When one cannot be written that is said on stderr, and
/// training goes on, too: the next may succeed, and a full disk should not end days of work. The one before a
/// stop is different: without it the stop is a failure.
class Session {
 public:
  /// Collective, when it keeps checkpoints.
  Session(const Communicator& comm, CheckpointPolicy policy, bool talks, MonitorSettings monitor = {});

  [[nodiscard]] const Communicator& comm() const { return comm_; }
  /// Collective. The newest whole checkpoint of this very training, if there is one; stdout gets to know.
  std::optional<storage::Checkpoint> resume();
  /// Whether this rank says on stdout what it does.
  [[nodiscard]] bool talks() const { return talks_; }
  [[nodiscard]] bool keeps_checkpoints() const { return writer_.has_value(); }
  /// What this rank wants, bits of Wish. They travel with a reduction that the method does anyway, and the
  /// bits of all ranks together come back with after_step.
  [[nodiscard]] unsigned wishes() const;
  /// Collective, after each step but the last. Saves when it is time to, or when any rank wishes to stop;
  /// then throws Stopped.
  void after_step(std::uint64_t step, unsigned wishes, const std::function<storage::Checkpoint()>& state);
  /// Where the method is, before after_step. Throws Diverged where its loss has been lost for long.
  void tell(const Progress& progress);
  /// Whether somebody will read what is told next: then what is dear to compute should be in it.
  [[nodiscard]] bool is_due() const { return talks_ && (monitor_.is_due() || !monitor_.has_line()); }
  /// The ranks share the rows in another way from now on.
  void tell_shares(const LeafShares& shares) const;
  /// Collective, after the last step: awaits what is still being written, and says where the time went.
  void finish();
  /// That, a sentence each. On rank 0, after finish.
  [[nodiscard]] const std::vector<std::string>& summary() const { return summary_; }
  /// A line of progress: on rank 0, not more than one a second, apart from the first and the last.
  void progress(bool last, const std::function<std::string()>& line);
  /// Says on stderr, once, that reading holds training up. Of rank 0's reading.
  void judge(const Reading& reading);
  /// Throws Diverged when the loss is no number any more. `where` says which part of the model it began in.
  void check_finite(double loss, std::uint64_t step, const char* step_name,
                    const std::function<std::string()>& where = {});

 private:
  [[nodiscard]] bool belongs_here(const std::string& text) const;
  std::optional<storage::Checkpoint> newest_checkpoint();
  void take_over_products(const storage::Checkpoint& checkpoint);
  void tell_file(unsigned wishes);
  [[noreturn]] void diverge(const std::string& what);
  void save(std::uint64_t step, bool stop, const std::function<storage::Checkpoint()>& state);
  void begin(std::uint64_t step, const std::function<storage::Checkpoint()>& state);
  void tell(const std::optional<storage::CheckpointOutcome>& ended);

  const Communicator& comm_;
  CheckpointPolicy policy_;
  bool talks_;
  bool keeps_metrics_;
  bool has_complained_ = false, has_warned_ = false;
  CheckpointSchedule::Clock::time_point begun_;
  CheckpointSchedule schedule_;
  std::optional<storage::CheckpointWriter> writer_;
  CheckpointSchedule::Seconds stall_{0};  ///< that the last one caused
  CheckpointSchedule::Clock::time_point step_began_;
  std::optional<std::chrono::steady_clock::time_point> last_line_;
  Monitor monitor_;
  LossWatch loss_watch_;
  std::vector<std::string> summary_;
};

}  // namespace kernmill::tasks
