#pragma once
#include "kernmill/exec/job/own_job.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::exec {

/// kernmill-exec: carries out one attempt on this machine, and journals what became of it.
/// `--run DIR --stage S --instance I --attempt N --job ID [--restart N] [--no-cache] [--time-factor X]`
///
/// In a job of Slurm: the element of a submitted array, with its retries; or the end of the run.
/// `--run DIR --array KEY --generation N [--no-cache]`
/// `--run DIR --close --generation N`
///
/// Returns 0 committed (or skipped), 1 failed, 75 stopped, 2 for an unusable command line, 3 when not even
/// that could be journalled. `hook` hears every record before and after it is durable; `open_cluster` gives
/// the batch system when it is needed first.
int dispatch(int argc, char** argv, const JournalWriter::Hook& hook,
             const ClusterFactory& open_cluster = open_slurm);

}  // namespace kernmill::exec
