#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/plan/combinations.hpp"
#include "kernmill/plan/search_space.hpp"
#include "kernmill/workflow/expression/expression.hpp"
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

/// The bond between a stage and another, seen from one of its ends.
struct Edge {
  std::uint32_t stage = 0;  ///< number of the stage at the other end: a parent, or a child
  EdgeKind kind = EdgeKind::all;
};

/// A workflow made ready to run: how many instances each stage has, and who waits for whom. Immutable, but
/// that a grown one (decisions.hpp) may be put in its place: stages keep their numbers, instances theirs.
/// Instances are not stored: what instance i is follows from its number.
class Plan {
 public:
  /// Takes a workflow that the parser accepted. Stages are put in an order in which parents come first, and
  /// else stay as they are in the file. Throws std::length_error when a stage has 2^32 instances or more.
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
  /// A stage that has not run yet decides the instances of this one: until then it has none.
  [[nodiscard]] bool undecided(std::uint32_t stage) const {
    return workflow_.stages[stage].matrix.undecided();
  }
  [[nodiscard]] bool all_decided() const;
  [[nodiscard]] bool is_reduce(InstanceId id) const;
  /// Which instance of `parent` this instance means when it refers to that stage: the one of its own number
  /// where both have the same matrix, the reduce of a tune stage, else the only one. Nothing when the parent
  /// has several and none of them is meant (a stage that only waits for them all).
  [[nodiscard]] std::optional<InstanceId> referred(InstanceId id, std::uint32_t parent) const;

  /// The values of the matrix (or, for a trial, of the space) that make this instance; {} when there is none.
  [[nodiscard]] Json values(InstanceId id) const;
  /// Of those values that are numbers with a text of their own: {"axis": "3.10", ...}.
  [[nodiscard]] Json texts(InstanceId id) const;
  /// The same as they were written, for names and variables: a number that has a text of its own as that
  /// text.
  [[nodiscard]] Json written_values(InstanceId id) const;
  /// What `matrix.AXIS` stands for in an expression of this instance.
  [[nodiscard]] std::optional<Known> matrix_value(InstanceId id, const std::string& axis) const;
  /// The stage's config with matrix.* evaluated. For a trial {train, objective} alone, with its point of the
  /// space put into `train`: what a trial does depends on nothing else; of one that runs a command {run,
  /// restart, outputs}, with point.* evaluated. For a reduce all of the stage's config, but for those.
  [[nodiscard]] Json config(InstanceId id) const;
  [[nodiscard]] Json env(InstanceId id) const;
  /// The stage's inputs, with matrix.* in the paths of files evaluated.
  [[nodiscard]] std::vector<Input> inputs(InstanceId id) const;
  /// For a reduce: one core, and none of the trials' nodes, ranks and GPUs.
  [[nodiscard]] Resources resources(InstanceId id) const;
  /// "fit", "fit[3]", "search[17]", "search.reduce": how an instance is named to people.
  [[nodiscard]] std::string label(InstanceId id) const;

 private:
  void sort_stages();
  void connect();
  void count();
  [[nodiscard]] Json with_matrix(InstanceId id, const Json& templates) const;

  Workflow workflow_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::vector<Edge>> parents_, children_;
  std::vector<Combinations> combinations_;          ///< by stage
  std::vector<std::optional<SearchSpace>> spaces_;  ///< by stage: of tune stages
};

/// plan.json, schema_version 1: the workflow with everything decided, and what follows from it for people and
/// other programs to read (instances, who waits for whom). A matrix stays unexpanded.
Json to_json(const Plan& plan);
/// Throws std::runtime_error when this is no plan that this version of Kernmill can carry out as it was made.
Plan plan_from_json(const Json& json);

}  // namespace kernmill
