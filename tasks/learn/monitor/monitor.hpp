#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/monitor/line_file.hpp"
#include "kernmill/tasks/learn/monitor/progress.hpp"
#include "kernmill/tasks/learn/monitor/summary.hpp"
#include "kernmill/tasks/learn/monitor/time_left.hpp"
#include "kernmill/tasks/learn/rows/reading.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

struct MonitorSettings {
  std::filesystem::path file;  ///< rank 0 writes to it; empty: nothing is written
  unsigned attempt = 1;
  Json about = Json::object();  ///< for the file's first line
};

/// Seconds of a clock that only goes on.
double steady_seconds();

/// Watches a training from inside. Between the steps its method tells it where it is; now and then a line
/// about it, with what the ranks' time went into, is appended to a file. The lines:
///
///     {"schema_version": 1, "begin": {"attempt": 2, "from_step": 450, "ranks": 3, ...}}
///     {"schema_version": 1, "time": "2026-11-21T04:05:06.123Z", "step": 900, "steps": 1350, "epoch": 20,
///      "loss": 0.31, ..., "seconds": 1.02, "compute_seconds": 0.9, "compute_seconds_min": 0.8, ...}
///     {"schema_version": 1, "end": {"how": "done"}}
///
/// Seconds are those since the line before, of the ranks in the mean; with _min and _max of single ranks.
/// Lines are at least a twentieth of a second apart, a 300th of the time so far, and as much as keeps what
/// they cost below a two-hundredth: of a training of days a few thousand. The numbers of a training do not
/// depend on any of it.
class Monitor {
 public:
  using Clock = std::function<double()>;
  Monitor(const Communicator& comm, MonitorSettings settings, Clock clock = steady_seconds);

  /// Before the first step, which comes after this one.
  void begin(std::uint64_t step);
  void tell(const Progress& progress);
  /// How much this rank has read and waited for that, of one source of rows, whose Reading stays in place.
  void note(const Reading& reading);
  /// Training stood still for so many seconds, for a checkpoint.
  void note_checkpoint(double seconds) { checkpoint_ += seconds; }
  /// Whether by this rank's clock it is time for a line, and whether that is so for long.
  [[nodiscard]] bool is_due() const;
  [[nodiscard]] bool is_overdue() const;
  /// Collective, when `progress().step` is a step that the file has no line of.
  void write_line();
  /// Of rank 0. `how`: done, stopped or diverged.
  void end(const std::string& how);

  [[nodiscard]] const Progress& progress() const { return now_; }
  [[nodiscard]] bool has_line_of_now() const { return lines_ > 0 && line_step_ == now_.step; }
  [[nodiscard]] bool has_line() const { return lines_ > 0; }
  /// What there is to say at the end. Of rank 0.
  [[nodiscard]] Training training() const;

 private:
  /// Totals of this rank so far.
  struct Totals {
    double clock = 0, waited = 0, input = 0, checkpoint = 0;
  };
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] double interval(double now) const;
  [[nodiscard]] Json where() const;
  void add_ranks(Json& line, const std::vector<double>& values);

  const Communicator& comm_;
  MonitorSettings settings_;
  Clock clock_;
  LineFile file_;
  Progress now_;
  double begun_;
  double input_ = 0, checkpoint_ = 0, cost_ = 0;
  Totals last_;                               ///< at the last line; behind what it is made of
  std::map<const Reading*, double> sources_;  ///< their seconds so far
  bool reads_again_ = false, is_full_batch_ = false;
  std::uint64_t lines_ = 0, line_step_ = 0, line_rows_ = 0;
  Pace pace_;
  std::vector<Shares> ranks_;  ///< of rank 0
  std::vector<double> losses_;
};

}  // namespace kernmill::tasks
