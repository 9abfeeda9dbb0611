#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"

/// A run goes on with an edited workflow (ADR 0016).
namespace kernmill {

struct PlanChanges {
  Workflow workflow;                  ///< to go on with
  std::vector<std::string> refusals;  ///< why the run cannot; each a sentence with the way out
  std::vector<std::string> told;      ///< what differs, a line a stage
  /// Instances that have finished by another recipe, by stage and number, and what differs.
  std::map<std::pair<std::string, unsigned>, std::string> redo;
  std::vector<std::string> changed_stages;  ///< of those: what they read may be another file now
};

/// What an edited workflow changes in a run. The journal speaks of stages by name and of instances by number:
/// what has begun keeps both. A stage that is gone stays, switched off, where the run has a record of it.
PlanChanges plan_changes(const Plan& before, Workflow after, const RunRecord& record);

}  // namespace kernmill
