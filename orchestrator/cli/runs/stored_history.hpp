#pragma once
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/report/metric_history.hpp"
#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::cli {

/// The history of what an instance ("fit.3"), or each of a stage ("fit"), has written to KERNMILL_METRICS
/// with its last attempt; of a training, of all its attempts. Throws UsageError when there is no such
/// instance.
MetricHistory stored_history(const RunDirectory& run, const Plan& plan, const std::string& selector);

}  // namespace kernmill::cli
