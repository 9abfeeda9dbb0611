#include "kernmill/exec/local_attempt.hpp"

#include <charconv>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/attempt_runner.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/journal/handover.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

/// What can be seen of an instance's attempts without the journal: their directories, which their conductor
/// makes before it starts them.
RunRecord record_of_directories(const Attempt& attempt) {
  RunRecord record;
  auto& attempts = record.instances[{attempt.stage().name, attempt.id.index}].attempts;
  constexpr std::string_view prefix = "attempt-";
  for (const auto& entry :
       fs::directory_iterator(attempt.run.instance(attempt.stage().name, attempt.id.index))) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    AttemptRecord& known = attempts.emplace_back();
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), known.number);
    known.started = true;
  }
  return record;
}

int carry_out(const Options& options, const RunDirectory& run, StopRequests& stop, AttemptJournal& journal) {
  journal.started(options.job);
  const fs::path input = "/dev/stdin";
  const std::string lines = options.handed_over ? read_file(input) : "";
  const RunRecord record = options.handed_over ? fold_lines(lines, input) : fold_journal(run.journal());
  const Plan plan = options.handed_over ? handed_plan_in(lines) : read_plan_file(run).plan;
  const Attempt attempt = make_attempt(run, plan, options.attempt, record);
  if (!options.handed_over) check_parents(attempt, record);
  AttemptRunner::Given given{own_environment()};
  given.token = value_of(given.environment, "KERNMILL_TOKEN");
  given.no_cache = options.no_cache;
  given.time_factor = options.time_factor;
  AttemptRunner runner(std::move(given), stop, journal);
  const auto outcome = runner.run(attempt);
  if (!outcome) return exit_done;
  if (outcome->what == AttemptOutcome::What::done) {
    runner.commit(attempt, outcome->leavings, [&] {
      return options.handed_over ? record_of_directories(attempt) : fold_journal(run.journal());
    });
    return exit_done;
  }
  journal.gave_up(*outcome);
  return outcome->what == AttemptOutcome::What::stopped ? exit_stopped : exit_failed;
}

}  // namespace

int run_local_attempt(const Options& options, const RunDirectory& run, StopRequests& stop,
                      const JournalWriter::Hook& hook) {
  JournalWriter writer(run.journal(), options.job, options.restart, "exec", hook);
  AttemptJournal journal(writer, options.attempt);
  try {
    return carry_out(options, run, stop, journal);
  } catch (const std::exception& error) {
    AttemptOutcome outcome;
    outcome.what = AttemptOutcome::What::failed;
    outcome.message = error.what();
    journal.gave_up(outcome);
    return exit_failed;
  }
}

}  // namespace kernmill::exec
