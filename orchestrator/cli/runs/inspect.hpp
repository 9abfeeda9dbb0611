#pragma once
#include "kernmill/report/run_status.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// Whether a cluster is asked about the jobs of a run that has not ended: one query, whatever their number.
enum class Asking { cluster, nobody };

/// How much of a run is looked at.
enum class Depth {
  everything,  ///< every instance
  begun,       ///< those that have begun
  summary,     ///< of large stages only what is not as usual
};

/// How a run stands right now, from its directory and the clock. One that was ended before it had a plan is
/// `preparing` and has no stages.
RunStatus inspect(const RunDirectory& run, Depth depth, Asking asking = Asking::cluster);

/// The same of a run whose plan and journal are at hand, and with what failed tasks left in error.json.
RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, Depth depth,
                  Asking asking = Asking::cluster);

}  // namespace kernmill::cli
