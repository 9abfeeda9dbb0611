#include "kernmill/plan/decisions.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/workflow/text/limits.hpp"

namespace kernmill {
namespace {

Matrix::Axis& axis_named(Matrix& matrix, const std::string& name) {
  return *std::find_if(matrix.axes.begin(), matrix.axes.end(),
                       [&](const Matrix::Axis& axis) { return axis.name == name; });
}

void fill(Matrix& matrix, const Matrix::Later& later, DecidedList list) {
  for (std::size_t a = 0; a < later.axes.size() && list.problem.empty(); ++a) {
    Matrix::Axis& axis = axis_named(matrix, later.axes[a]);
    axis.values = std::move(list.axes[a].values);
    axis.texts = std::move(list.axes[a].texts);
  }
  if (matrix.problem.empty()) matrix.problem = std::move(list.problem);
}

void empty_later_axes(Matrix& matrix) {
  for (const Matrix::Later& later : matrix.later)
    for (const std::string& name : later.axes) {
      axis_named(matrix, name).values.clear();
      axis_named(matrix, name).texts.clear();
    }
}

/// Why the stage cannot have these instances; empty: it can.
std::string problem_with_instances(const Plan& plan, std::uint32_t stage) {
  if (plan.total_instances() > limits::instances)
    return fmt::format("with what {} has left, this workflow has more than {} instances",
                       fmt::join(deciding_stages(plan.stage(stage).matrix), " and "), limits::instances);
  const bool alike = !has_template(plan.stage(stage).resources.dump());
  const std::uint32_t count = alike ? std::min(plan.instance_count(stage), 1U) : plan.instance_count(stage);
  for (std::uint32_t index = 0; index < count; ++index) try {
      (void)plan.resources({stage, index});
    } catch (const std::exception& error) {
      return fmt::format("{}: its resources: {}", plan.label({stage, index}), error.what());
    }
  return {};
}

/// The matrix with the lists that are there; nothing as long as one is missing.
std::optional<Matrix> decided_matrix(
    const Matrix& undecided, const std::function<std::optional<DecidedList>(const Matrix::Later&)>& list) {
  Matrix matrix = undecided;
  for (const Matrix::Later& later : undecided.later) {
    auto left = list(later);
    if (!left) return {};
    fill(matrix, later, std::move(*left));
  }
  matrix.decided = true;
  if (!matrix.problem.empty()) empty_later_axes(matrix);
  return matrix;
}

/// A plan of the workflow, and a problem for each of its stages that cannot be carried out.
Plan checked(Workflow workflow, const std::vector<std::uint32_t>& stages) {
  const auto refuse = [&](std::uint32_t stage, std::string why) {
    Matrix& matrix = workflow.stages[stage].matrix;
    matrix.problem = std::move(why);
    empty_later_axes(matrix);
  };
  for (const std::uint32_t stage : stages) try {
      (void)Combinations(workflow.stages[stage].matrix);
    } catch (const std::length_error& error) {
      refuse(stage, error.what());
    }
  Plan plan(workflow);
  bool refused = false;
  for (const std::uint32_t stage : stages)
    if (std::string why = problem_with_instances(plan, stage);
        !why.empty() && plan.stage(stage).matrix.problem.empty()) {
      refuse(stage, std::move(why));
      refused = true;
    }
  return refused ? Plan(std::move(workflow)) : plan;
}

}  // namespace

std::vector<std::string> deciding_stages(const Matrix& matrix) {
  std::vector<std::string> stages;
  for (const Matrix::Later& later : matrix.later)
    if (std::find(stages.begin(), stages.end(), later.stage) == stages.end()) stages.push_back(later.stage);
  return stages;
}

std::string decided_by(const Matrix& matrix) {
  return fmt::format("decided by {}", fmt::join(deciding_stages(matrix), " and "));
}

InstanceId deciding_instance(const Plan& plan, const Matrix::Later& later) {
  const std::uint32_t stage = plan.stage_number(later.stage);
  return {stage, plan.instance_count(stage) - 1};  // of a tune stage the reduce
}

std::optional<Growth> grow(const Plan& plan,
                           const std::function<std::optional<DecidedList>(const Matrix::Later&)>& list) {
  std::vector<std::uint32_t> stages;
  std::vector<Matrix> matrices;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    if (plan.undecided(stage))
      if (auto matrix = decided_matrix(plan.stage(stage).matrix, list)) {
        stages.push_back(stage);
        matrices.push_back(std::move(*matrix));
      }
  if (stages.empty()) return {};
  Workflow workflow = plan.workflow();
  for (std::size_t i = 0; i < stages.size(); ++i) workflow.stages[stages[i]].matrix = std::move(matrices[i]);
  return Growth{checked(std::move(workflow), stages), stages};
}

Workflow with_decisions_of(const Plan& before, Workflow edited) {
  const auto decided = [&](const Matrix::Later& later) -> std::optional<DecidedList> {
    for (Stage stage : before.workflow().stages) {
      Matrix& matrix = stage.matrix;
      const bool has_it = std::find(matrix.later.begin(), matrix.later.end(), later) != matrix.later.end();
      if (!matrix.decided || !matrix.problem.empty() || !has_it) continue;
      DecidedList list;
      for (const std::string& name : later.axes) list.axes.push_back(std::move(axis_named(matrix, name)));
      return list;
    }
    return {};
  };
  const auto growth = grow(Plan(edited), decided);
  return growth ? growth->plan.workflow() : edited;
}

Plan without_problems(const Plan& plan) {
  Workflow workflow = plan.workflow();
  for (Stage& stage : workflow.stages) {
    if (stage.matrix.problem.empty()) continue;
    stage.matrix.problem.clear();
    stage.matrix.decided = false;
    empty_later_axes(stage.matrix);
  }
  return Plan(std::move(workflow));
}

}  // namespace kernmill
