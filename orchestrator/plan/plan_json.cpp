#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/plan/decisions.hpp"
#include "kernmill/workflow/value/json_text.hpp"

namespace kernmill {
namespace {

constexpr int schema_version = 1;

Json decided(const Plan& plan, std::uint32_t stage) {
  Json parents = Json::array();
  for (const Edge& edge : plan.parents(stage))
    parents.push_back(
        {{"stage", plan.stage(edge.stage).name}, {"kind", edge.kind == EdgeKind::each ? "each" : "all"}});
  Json json{
      {"name", plan.stage(stage).name}, {"instances", plan.instance_count(stage)}, {"parents", parents}};
  if (plan.undecided(stage)) {
    json["instances"] = nullptr;
    json["decided_by"] = deciding_stages(plan.stage(stage).matrix);
  }
  return json;
}

Json decided(const Plan& plan) {
  Json stages = Json::array();
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) stages.push_back(decided(plan, stage));
  return stages;
}

}  // namespace

Json to_json(const Plan& plan) {
  return {{"schema_version", schema_version},
          {"workflow", to_json(plan.workflow())},
          {"instances", plan.total_instances()},
          {"plan", decided(plan)}};
}

Plan plan_from_json(const Json& json) {
  try {
    if (const int version = json.at("schema_version"); version != schema_version)
      throw std::runtime_error(
          fmt::format("schema_version is {}, and this Kernmill reads {}", version, schema_version));
    Plan plan(workflow_from_json(json.at("workflow")));
    // Instances go by number: a plan that would number them in another way must not be carried on.
    if (decided(plan) != json.at("plan"))
      throw std::runtime_error("its stages and instances do not follow from its workflow");
    return plan;
  } catch (const std::exception& error) {
    throw std::runtime_error(fmt::format(
        "this plan.json cannot be used: {}; resume it with the version of Kernmill that made it, or run the "
        "workflow anew",
        plain_words(error)));
  }
}

}  // namespace kernmill
