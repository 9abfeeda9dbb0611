#pragma once
#include <string>
#include <vector>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill {

/// A job array that the journal says was submitted.
struct SubmittedArray {
  unsigned generation = 0;
  ArrayPlan plan;
  std::string job;  ///< its id; empty when it did not become known

  /// The job of an element: "12_3", or "12" for a plain job.
  [[nodiscard]] std::string job_of(std::uint32_t element) const;
};

/// Those of all generations that were not rolled back, older ones first.
std::vector<SubmittedArray> submitted_arrays(const Plan& plan, const RunRecord& record);

/// The newest of the arrays that carry out an instance; null when none does.
const SubmittedArray* newest_array(const std::vector<SubmittedArray>& arrays, InstanceId id);

/// Takes failures for given up that belong to an earlier submission than the newest: they are being made
/// good.
void forget_older_failures(RunRecord& record, const Plan& plan, const std::vector<SubmittedArray>& arrays);

}  // namespace kernmill
