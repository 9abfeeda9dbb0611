#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill {

/// How a conductor left a run.
enum class RunOutcome {
  done,
  failed,
  interrupted,  ///< Ctrl-C, or the terminal went away
  cancelled,    ///< SIGTERM, which is what `kernmill cancel` sends
};
std::string_view to_string(RunOutcome outcome);

/// Something that happened to one instance.
struct InstanceEvent {
  enum class What {
    started,
    committed,
    cached,     ///< its artifacts were taken from an earlier run
    skipped,    ///< its `when` was false
    failed,     ///< for good
    retrying,   ///< failed, and will be tried again
    continued,  ///< its time was up; the next attempt goes on from its checkpoint
    stopped,    ///< was asked to stop, and may be resumed
    abandoned,  ///< found dead, or ended, when the run was resumed
  };
  What what = What::started;
  InstanceId id;
  unsigned attempt = 1;
  std::chrono::duration<double> took{0};
  Json metrics = Json::object();
  Cause cause = Cause::error;
  int exit_code = 0;
  std::string message;
};

/// How a run went in the end.
struct RunResult {
  RunOutcome outcome = RunOutcome::done;
  std::chrono::duration<double> took{0};
};

/// What a conductor tells of a run while it goes on. Implementations: text for people, JSON, quiet.
class Output {
 public:
  virtual ~Output() = default;
  /// Before anything starts. The plan and the progress outlive the output's last call.
  virtual void begin(const RunDirectory& run, const Plan& plan, const Progress& progress, bool resumed) = 0;
  virtual void instance(const InstanceEvent& event) = 0;
  /// The plan has grown: the instances of this stage are known now.
  virtual void grown(std::uint32_t /*stage*/) {}
  /// A request to stop came; `running` instances were asked to stop, or with `force` ended.
  virtual void stopping(bool force, std::size_t running) = 0;
  virtual void end(const RunResult& result) = 0;
  /// How often `tick` wants to be called while nothing happens; nothing: never.
  [[nodiscard]] virtual std::optional<std::chrono::milliseconds> tick_interval() const { return {}; }
  virtual void tick() {}
};

}  // namespace kernmill
