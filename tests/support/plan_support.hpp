#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernmill/plan/plan.hpp"
#include "kernmill/plan/progress.hpp"

namespace kernmill::testing {

/// A command stage, as small as a stage can be.
inline Stage command(std::string name, std::vector<std::string> needs = {}) {
  Stage stage;
  stage.name = std::move(name);
  stage.needs = std::move(needs);
  stage.config = {{"run", "true"}};
  return stage;
}

/// A matrix of one axis, `x`, with values 0, 1, ...
inline Matrix one_axis(int values) {
  Matrix::Axis axis{"x", {}};
  for (int v = 0; v < values; ++v) axis.values.emplace_back(v);
  return {{axis}, {}, {}};
}

inline Stage command(std::string name, std::vector<std::string> needs, Matrix matrix) {
  Stage stage = command(std::move(name), std::move(needs));
  stage.matrix = std::move(matrix);
  return stage;
}

/// A tune stage whose grid has that many trials: learning_rate 0, 1, ...
inline Stage tune(std::string name, std::vector<std::string> needs, int trials) {
  Stage stage = command(std::move(name), std::move(needs));
  stage.kind = TaskKind::tune;
  Json choices = Json::array();
  for (int t = 0; t < trials; ++t) choices.push_back(t);
  stage.config = {{"train", {{"optimizer", {{"learning_rate", 0.1}}}}},
                  {"space", {{"optimizer.learning_rate", {{"type", "choice"}, {"values", choices}}}}},
                  {"strategy", {{"type", "grid"}}},
                  {"objective", {{"metric", "accuracy"}, {"goal", "maximize"}}}};
  return stage;
}

inline Workflow workflow(std::vector<Stage> stages) {
  Workflow workflow;
  workflow.name = "test";
  workflow.stages = std::move(stages);
  return workflow;
}

inline Plan plan(std::vector<Stage> stages) {
  return Plan(workflow(std::move(stages)));
}

inline InstanceId id(const Plan& plan, const std::string& stage, std::uint32_t index = 0) {
  return {plan.stage_number(stage), index};
}

/// The labels of everything that may start now, in the order in which it is given out; all of it is running
/// afterwards.
inline std::vector<std::string> take_all(const Plan& plan, Progress& progress) {
  std::vector<std::string> labels;
  while (const auto taken = progress.take_ready()) labels.push_back(plan.label(*taken));
  return labels;
}

/// Takes and finishes whatever there is, until nothing is left.
inline void finish_all(Progress& progress) {
  while (const auto taken = progress.take_ready()) progress.finished(*taken);
}

}  // namespace kernmill::testing
