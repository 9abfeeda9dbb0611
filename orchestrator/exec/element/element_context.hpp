#pragma once
#include <optional>

#include "kernmill/exec/attempt/attempt_runner.hpp"
#include "kernmill/exec/attempt/options.hpp"
#include "kernmill/exec/element/journal_selection.hpp"

namespace kernmill::exec {

/// What all that happens in the job of one element has in common.
struct ElementContext {
  const RunDirectory& run;
  const Plan& plan;
  std::string launcher;  ///< template that the plan names; may be empty
  Environment environment;
  InBatch& batch;
  std::vector<SubmittedArray> arrays;  ///< of all generations
  const SubmittedArray& array;         ///< the one that the element is of
  bool fail_fast = false;
  bool no_cache = false;
  /// How long the end of a job that the batch system has seen may take to show up in the journal.
  RetryBudget late_files;
  RetryBudget requeue;

  [[nodiscard]] unsigned attempt() const { return array.plan.attempt + batch.place.restart; }
  [[nodiscard]] RunRecord whole_journal() const;
  [[nodiscard]] RunRecord journal_of(const JournalSelection& selection) const;
};

/// The records of instances and of their parents. When an end that the batch system must have seen is not
/// there, they are read again for a while: network file systems show files late.
RunRecord read_until_settled(const ElementContext& context, const std::vector<InstanceId>& ids);

/// What an instance may do, by its parents. `record` is what was read of the journal to tell.
struct Look {
  enum class What { run, nothing_to_do, blocked };
  What what = What::run;
  RunRecord record;
  std::string why;
};
Look look_at_parents(const ElementContext& context, InstanceId id);

/// Draws the consequences of instances that have settled, in the journal and in the batch system.
void draw_consequences(const ElementContext& context, JournalWriter& journal,
                       const std::vector<InstanceId>& settled, bool after_failure);

}  // namespace kernmill::exec
