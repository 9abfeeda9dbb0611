#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// One instance of the plan: a stage by its number, and which of its instances.
struct InstanceId {
  std::uint32_t stage = 0;
  std::uint32_t index = 0;
  friend bool operator==(const InstanceId&, const InstanceId&) = default;
  friend auto operator<=>(const InstanceId&, const InstanceId&) = default;
};

/// How a stage waits for another.
enum class EdgeKind {
  each,  ///< instance i waits for instance i alone (both stages have the same matrix)
  all,   ///< every instance waits for the whole stage
};

struct Edge {
  std::uint32_t parent = 0;  ///< number of the stage waited for
  EdgeKind kind = EdgeKind::all;
};

/// A workflow made ready to run: how many instances each stage has, and who waits for whom. Immutable.
/// Instances are not stored: what instance i is follows from its number.
class Plan {
 public:
  /// Takes a workflow that the parser accepted. Stages are put in an order in which parents come first.
  explicit Plan(Workflow workflow);

  [[nodiscard]] const Workflow& workflow() const { return workflow_; }
  [[nodiscard]] std::uint32_t stage_count() const {
    return static_cast<std::uint32_t>(workflow_.stages.size());
  }
  [[nodiscard]] const Stage& stage(std::uint32_t number) const { return workflow_.stages[number]; }
  /// The number of the stage of that name; throws std::out_of_range.
  [[nodiscard]] std::uint32_t stage_number(std::string_view name) const;
  [[nodiscard]] const std::vector<Edge>& parents(std::uint32_t stage) const { return parents_[stage]; }
  [[nodiscard]] const std::vector<Edge>& children(std::uint32_t stage) const { return children_[stage]; }

  /// Instances of the stage. A tune stage has one a trial, and one more, the last: the reduce that picks the
  /// best.
  [[nodiscard]] std::uint32_t instance_count(std::uint32_t stage) const { return counts_[stage]; }
  [[nodiscard]] std::uint64_t total_instances() const;
  [[nodiscard]] bool is_reduce(InstanceId id) const;

  /// The values of the matrix (or, for a trial, of the space) that make this instance; {} when there is none.
  [[nodiscard]] Json values(InstanceId id) const;
  /// The stage's config with matrix.* evaluated; for a trial, with its point of the space put into `train`.
  [[nodiscard]] Json config(InstanceId id) const;
  [[nodiscard]] Json env(InstanceId id) const;
  [[nodiscard]] Resources resources(InstanceId id) const;
  /// "fit", "fit[3]", "search[17]", "search.reduce": how an instance is named to people.
  [[nodiscard]] std::string label(InstanceId id) const;

 private:
  Workflow workflow_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::vector<Edge>> parents_, children_;
  /// For stages with `exclude`: the numbers of the combinations that are left.
  std::vector<std::vector<std::uint32_t>> kept_;
};

/// plan.json, schema_version 1: the workflow with everything decided.
Json to_json(const Plan& plan);
Plan plan_from_json(const Json& json);

}  // namespace kernmill
