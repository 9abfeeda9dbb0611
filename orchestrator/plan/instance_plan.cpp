#include "kernmill/plan/instance_plan.hpp"

#include <utility>

#include "kernmill/plan/combinations.hpp"
#include "kernmill/plan/gathering.hpp"

namespace kernmill {
namespace {

std::uint32_t group_of(const Plan& plan, std::uint32_t stage) {
  for (std::uint32_t other = 0; other < stage; ++other)
    if (same_combinations(plan.stage(other).matrix, plan.stage(stage).matrix)) return other;
  return stage;
}

}  // namespace

InstancePlans::InstancePlans(const Plan& plan) : plan_(plan) {
  Workflow workflow = plan.workflow();
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    groups_.push_back(group_of(plan, stage));
    Matrix& matrix = workflow.stages[stage].matrix;
    if (matrix.empty()) continue;
    matrix = {};
    matrix.cut = Matrix::Cut{plan.instance_count(stage), groups_.back()};
  }
  common_ = to_json(Plan(std::move(workflow)));
}

Json InstancePlans::of(InstanceId id) const {
  if (!gatherings_of(plan_, id.stage).empty()) return to_json(plan_);
  Json plan = common_;
  if (plan_.stage(id.stage).matrix.empty()) return plan;
  const Json values = plan_.values(id), texts = plan_.texts(id);
  for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) {
    if (groups_[stage] != groups_[id.stage]) continue;
    Json& cut = plan["workflow"]["stages"][stage]["matrix"]["cut"];
    cut["number"] = id.index;
    cut["values"] = values;
    cut["texts"] = texts;
  }
  return plan;
}

}  // namespace kernmill
