#pragma once
#include <map>
#include <optional>
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/instance_result.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill {

/// What committed instances left for others to refer to: `stages.NAME.METRIC`, `stages.NAME.ARTIFACT`.
class CommitTable {
 public:
  explicit CommitTable(const Plan& plan) : plan_(&plan) {}
  void add(InstanceId id, InstanceResult result);
  /// What the instance left; nothing as long as it has not committed.
  [[nodiscard]] std::optional<InstanceResult> result(InstanceId id) const;
  /// What a whole stage has left: computed once, until another of its instances commits.
  [[nodiscard]] StageLeavings leavings(std::uint32_t stage) const;
  /// The same where the results of its instances are not known here.
  void note_leavings(std::uint32_t stage, StageLeavings left) { leavings_[stage] = std::move(left); }
  /// What `matrix.*` and `stages.*` (by Plan::referred) mean to an instance.
  [[nodiscard]] Lookup lookup(InstanceId for_instance) const;

 private:
  [[nodiscard]] std::optional<Known> find(InstanceId from, const std::string& stage,
                                          const std::string& name) const;
  const Plan* plan_;
  std::map<InstanceId, InstanceResult> commits_;
  mutable std::map<std::uint32_t, StageLeavings> leavings_;
};

/// What all committed instances of a run left, those of the plan's stages.
CommitTable commits_in(const Plan& plan, const RunRecord& record);

/// Whether the instance's `when` is true. Throws ExpressionError when it cannot be computed, which includes
/// names that no stage left.
bool when_is_true(const Plan& plan, InstanceId id, const CommitTable& commits);

/// Why an instance is skipped whose `when` is false: the condition, and which of its names is no number,
/// since every comparison with that is false.
std::string why_false(const Plan& plan, InstanceId id, const CommitTable& commits);

}  // namespace kernmill
