#pragma once
#include <map>
#include <optional>
#include <string>

#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal.hpp"
#include "kernmill/workflow/expression.hpp"

namespace kernmill {

/// What committed instances left for others to refer to: `stages.NAME.METRIC`, `stages.NAME.ARTIFACT`.
class CommitTable {
 public:
  explicit CommitTable(const Plan& plan) : plan_(&plan) {}
  void add(InstanceId id, Json metrics, Json artifact_paths);
  /// What `matrix.*` and `stages.*` (by Plan::referred) mean to an instance.
  [[nodiscard]] Lookup lookup(InstanceId for_instance) const;

 private:
  [[nodiscard]] std::optional<Json> find(InstanceId from, const std::string& stage,
                                         const std::string& name) const;
  struct Commit {
    Json metrics;
    Json artifacts;
  };
  const Plan* plan_;
  std::map<InstanceId, Commit> commits_;
};

/// Whether the instance's `when` is true. Throws ExpressionError when it cannot be computed, which includes
/// names that no stage left.
bool when_is_true(const Plan& plan, InstanceId id, const CommitTable& commits);

/// The artifacts of a `committed` record's body: name -> absolute path.
Json artifact_paths(const Json& committed_body);

}  // namespace kernmill
