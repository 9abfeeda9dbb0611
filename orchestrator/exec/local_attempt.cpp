#include "kernmill/exec/local_attempt.hpp"

#include "kernmill/base/exit_status.hpp"
#include "kernmill/exec/attempt/attempt_runner.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill::exec {
namespace {

int carry_out(const Options& options, const RunDirectory& run, StopRequests& stop, AttemptJournal& journal) {
  journal.started(options.job);
  const RunRecord record = fold_journal(run.journal());
  const Json document = Json::parse(read_file(run.plan()));
  const Plan plan = plan_from_json(document);
  const Attempt attempt = make_attempt(run, plan, options.attempt, record);
  check_parents(attempt, record);
  AttemptRunner::Given given{own_environment()};
  given.launcher = document.value("launcher", "");
  given.token = value_of(given.environment, "KERNMILL_TOKEN");
  given.no_cache = options.no_cache;
  given.time_factor = options.time_factor;
  AttemptRunner runner(std::move(given), stop, journal);
  const auto outcome = runner.run(attempt);
  if (!outcome) return exit_done;
  if (outcome->what == AttemptOutcome::What::done) {
    runner.commit(attempt, outcome->leavings, [&run] { return fold_journal(run.journal()); });
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
