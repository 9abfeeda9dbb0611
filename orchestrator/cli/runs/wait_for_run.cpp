#include "kernmill/cli/runs/wait_for_run.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include <fmt/format.h>
#include <poll.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/cli/runs/conduct.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/os/stop_signals.hpp"
#include "kernmill/report/quantity.hpp"

namespace kernmill::cli {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Tells of each stage once when it begins, and once when all of it has ended.
class StageNews {
 public:
  void tell(const RunStatus& status) {
    for (const StageStatus& stage : status.stages) {
      const std::string word = stage.word();
      const bool over = stage.of(State::waiting) + stage.of(State::ready) + stage.of(State::running) == 0;
      std::string& told = told_[stage.name];
      if (told == word || (!over && word != "running")) continue;
      told = word;
      fmt::print(stderr, "  {:<16} {:<9} {:>9}  {}/{}\n", stage.name, word,
                 stage.took.count() > 0 ? duration_text(stage.took) : "-", stage.of(State::finished),
                 stage.instances);
    }
  }

 private:
  std::map<std::string, std::string> told_;
};

bool interrupted(const StopSignals& stop, milliseconds pause) {
  pollfd entry{stop.fd(), POLLIN, 0};
  return ::poll(&entry, 1, static_cast<int>(pause.count())) > 0 && stop.next().has_value();
}

/// Whether nobody meant the jobs of the newest submission to be held.
bool is_released(const RunRecord& record) {
  return !record.generations.empty() && record.generations.rbegin()->second.released;
}

ExitStatus exit_code(const std::string& outcome) {
  if (outcome == "done") return exit_done;
  return outcome == "failed" ? exit_failed : exit_interrupted;
}

}  // namespace

int wait_for_run(const RunDirectory& run, const Plan& submitted, const Arguments& arguments) {
  Plan plan = submitted;
  const StopSignals stop;
  StageNews news;
  auto asked = Steady::now();
  auto until_asked = milliseconds(4'000);
  for (;;) {
    const auto begun = Steady::now();
    const RunView view = view_journal(run.journal());
    const RunRecord& record = view.record;
    if (!plan.all_decided()) plan = require_plan(run);
    const bool over = !record.outcome.empty();
    // The files say all there is to say; the cluster is asked seldom whether the run is in the queue still.
    const bool ask = over || begun - asked > until_asked;
    const RunStatus status =
        inspect(run, plan, view, depth_of_end(arguments), ask ? Asking::cluster : Asking::nobody);
    if (ask) {
      asked = begun;
      until_asked = std::min(2 * until_asked, milliseconds(60'000));
    }
    if (!arguments.has("quiet")) news.tell(status);
    if (over || status.state == "dead") {
      show_end(status, arguments);
      return over ? exit_code(record.outcome) : exit_failed;
    }
    if (status.waits_for_held && is_released(record)) {
      fmt::print(stderr, "\nnot waiting any longer: {}\n", status.note);
      return exit_failed;
    }
    const auto pause = std::clamp(std::chrono::duration_cast<milliseconds>(10 * (Steady::now() - begun)),
                                  milliseconds(500), milliseconds(30'000));
    if (!interrupted(stop, pause)) continue;
    fmt::print(stderr,
               "\nthe run goes on without you; kernmill status {} shows it, kernmill cancel {} ends it\n",
               run.name(), run.name());
    return exit_interrupted;
  }
}

}  // namespace kernmill::cli
