#pragma once
#include "kernmill/report/run_status.hpp"
#include "kernmill/run/run_directory.hpp"

namespace kernmill::cli {

/// How a run stands right now, from its directory and the clock. One that was ended before it had a plan is
/// `preparing` and has no stages.
RunStatus inspect(const RunDirectory& run, bool everything);

/// The same of a run whose plan and journal are at hand, and with what failed tasks left in error.json.
RunStatus inspect(const RunDirectory& run, const Plan& plan, const RunRecord& record, bool everything);

}  // namespace kernmill::cli
