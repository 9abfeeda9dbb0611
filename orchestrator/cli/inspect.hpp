#pragma once
#include "kernmill/report/run_status.hpp"
#include "kernmill/run/run_directory.hpp"

namespace kernmill::cli {

/// Whether a cluster is asked about the jobs of a run that has not ended: one query, whatever their number.
enum class Asking { cluster, nobody };

/// How a run stands right now, from its directory and the clock. One that was ended before it had a plan is
/// `preparing` and has no stages.
RunStatus inspect(const RunDirectory& run, bool everything, Asking asking = Asking::cluster);

/// The same of a run whose plan and journal are at hand, and with what failed tasks left in error.json.
RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, bool everything,
                  Asking asking = Asking::cluster);

}  // namespace kernmill::cli
