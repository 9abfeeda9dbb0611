#pragma once
#include <functional>

#include "kernmill/report/run_status.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/run_view.hpp"

namespace kernmill::cli {

/// Whether a cluster is asked about the jobs of a run that has not ended: one query, whatever their number.
enum class Asking { cluster, nobody };

/// How much of a run is looked at.
enum class Depth {
  everything,  ///< every instance
  results,     ///< of large stages what is not as usual, and the first that finished
  summary,     ///< of large stages only what is not as usual
};

/// How a run stands right now, from its directory and the clock. One that was ended before it had a plan is
/// `preparing` and has no stages.
RunStatus inspect(const RunDirectory& run, Depth depth, Asking asking = Asking::cluster);

/// The same of a run whose plan and journal are at hand, and with what failed tasks left in error.json.
RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, Depth depth,
                  Asking asking = Asking::cluster);
RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunView& view, Depth depth,
                  Asking asking = Asking::cluster);

/// Tells of every instance in place of keeping it.
enum class Telling {
  reasons,  ///< with what StatusOptions::reasons_only leaves of it
  all,
};
RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunView& view, Telling telling,
                  const std::function<void(const RunStatus&, InstanceStatus)>& tell);

}  // namespace kernmill::cli
