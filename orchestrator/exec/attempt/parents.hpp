#pragma once
#include <map>
#include <string>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/replay.hpp"

namespace kernmill::exec {

/// The instances that this one waits for, by stage.
std::vector<std::vector<InstanceId>> parents_of(const Plan& plan, InstanceId id);

/// What an instance may do, by what the journal says of its parents.
enum class Standing {
  may_run,
  skipped,    ///< its parents were
  blocked,    ///< a parent has failed
  unsettled,  ///< a parent has not ended, as far as the journal says
};

/// What the parents' own records say, for any number of instances: a stage that they wait for as a whole is
/// looked at once.
class ParentRecords {
 public:
  ParentRecords(const Plan& plan, const RunRecord& of_parents) : plan_(&plan), record_(&of_parents) {}
  /// Whether every parent has committed: then nothing else has to be looked at.
  bool all_committed(InstanceId id) { return all_parents(id, &ParentRecords::has_committed, committed_); }
  /// Whether every parent has committed, failed for good or was skipped.
  bool all_settled(InstanceId id) { return all_parents(id, &has_settled, settled_); }

 private:
  using Test = bool (*)(const InstanceRecord&);
  using WholeStages = std::map<std::uint32_t, bool>;
  static bool has_committed(const InstanceRecord& known) { return known.committed; }
  bool all_parents(InstanceId id, Test test, WholeStages& whole_stages);
  [[nodiscard]] bool is_true_of(InstanceId parent, Test test) const;
  [[nodiscard]] bool is_true_of_first(std::uint32_t count, std::uint32_t stage, Test test) const;

  const Plan* plan_;
  const RunRecord* record_;
  WholeStages committed_, settled_;
};

/// By the whole journal. Of a stage that is waited for as a whole, as many instances as its max_fails may
/// lack a commit; of the trials of a tune stage, at least one must have it.
Standing standing(const Plan& plan, InstanceId id, const RunRecord& record);

/// "its parents have not finished: ..."
std::string why_unsettled(const Plan& plan, InstanceId id, const RunRecord& record);

}  // namespace kernmill::exec
