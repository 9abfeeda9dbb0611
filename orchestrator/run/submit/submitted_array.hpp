#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/journal/journal.hpp"

namespace kernmill::exec {

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

/// Which files of a journal are to be read: all but the thousands that other jobs have written.
class JournalSelection {
 public:
  /// What an attempt of the instance, or of all instances of its stage, was journalled in.
  void add_instance(const Plan& plan, const std::vector<SubmittedArray>& arrays, InstanceId id);
  void add_stage(const Plan& plan, const std::vector<SubmittedArray>& arrays, std::uint32_t stage);
  /// The instances that this one waits for.
  void add_parents(const Plan& plan, const std::vector<SubmittedArray>& arrays, InstanceId id);
  [[nodiscard]] bool wants(std::string_view file) const;

 private:
  std::set<std::string, std::less<>> jobs_;   ///< "12_3", "12"; and "fit.3", "fit" of runs without a cluster
  std::set<std::string, std::less<>> whole_;  ///< "12" of an array, all elements of which are wanted
};

}  // namespace kernmill::exec
