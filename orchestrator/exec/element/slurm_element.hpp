#pragma once
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/exec/job/own_job.hpp"
#include "kernmill/os/stop_requests.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

/// Carries out one element of an array that was submitted, in its job: looks whether its parents have
/// finished and its `when` is true, makes the attempt that this start of the job stands for, asks for another
/// start when a retry is due, and cancels what can no longer run. Returns an exit status; the batch system
/// lets what waits for the element go on after 0 alone.
int run_slurm_element(const Options& options, const RunDirectory& run, StopRequests& stop,
                      const JournalWriter::Hook& hook, const ClusterFactory& open_cluster);

}  // namespace kernmill::exec
