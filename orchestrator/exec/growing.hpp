#pragma once
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/exec/job/own_job.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Goes on with a submitted run when a stage has committed that decides instances of others (ADR 0017): makes
/// the grown plan durable, and submits them and what waits for them as a generation. Whoever of several does
/// it first has done it. Returns an exit status.
int go_on_behind(const Options& options, const RunDirectory& run, const JournalWriter::Hook& hook,
                 const ClusterFactory& open_cluster);

/// The same, for a closing job that finds it undone: the growth job may have been killed. Whether another
/// generation has taken the run on.
bool goes_on(const RunDirectory& run, unsigned generation, OwnJob& job, const JournalWriter::Hook& hook);

}  // namespace kernmill::exec
