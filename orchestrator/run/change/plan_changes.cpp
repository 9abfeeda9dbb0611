#include "kernmill/run/change/plan_changes.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/run/cache/declared_inputs.hpp"
#include "kernmill/run/change/kept_numbers.hpp"
#include "kernmill/workflow/command_stage.hpp"

namespace kernmill {
namespace {

constexpr const char* never = "${{ false }}";

/// Whether the instance has a record of its own.
bool has_begun(const RunRecord& record, const std::string& stage) {
  const auto first = record.instances.lower_bound({stage, 0});
  return first != record.instances.end() && first->first.first == stage;
}

/// What an instance is to do, as the workflow says it: a recipe without what is known later.
Recipe recipe_as_written(const Plan& plan, InstanceId id) {
  const Stage& stage = plan.stage(id.stage);
  Recipe recipe;
  recipe.body["kind"] = plan.is_reduce(id) ? "reduce" : to_string(stage.kind);
  recipe.body["config"] = plan.config(id);
  recipe.body["inputs"] = Json::object();
  for (const Input& input : plan.inputs(id)) {
    const std::string name = input.stage.empty() ? display_path(input.path, plan.workflow())
                                                 : fmt::format("{}.{}", input.stage, input.artifact);
    recipe.body["inputs"][input.key] = name;
    recipe.input_names[input.key] = name;
  }
  if (runs_command(stage)) {
    const Json variables = plan.env(id);
    recipe.body["env"] = Json::object();
    for (const auto& [name, value] : variables.items())
      recipe.body["env"][name] = value.is_object() ? value : Json(hidden_value(name, value));
    recipe.body["matrix"] = plan.written_values(id);
    recipe.body["modules"] = stage.modules;
    recipe.body["setup"] = stage.setup;
    recipe.body["container"] = stage.container;
    if (!stage.python.empty()) recipe.body["python"] = stage.python;
    for (const std::uint32_t parent : unnamed_parents(plan, id.stage))
      recipe.body["needs"][plan.stage(parent).name] = "";
  }
  recipe.key = recipe_key(recipe.body);
  return recipe;
}

Stage retired(Stage stage) {
  stage.when = never;
  stage.needs.clear();
  stage.order_only.clear();
  std::erase_if(stage.inputs, [](const Input& input) { return !input.stage.empty(); });
  return stage;
}

class Comparison {
 public:
  Comparison(const Plan& before, Workflow after, const RunRecord& record) : before_(before), record_(record) {
    changes_.workflow = std::move(after);
  }

  PlanChanges compare() {
    refuse_another_key();
    tell_of_storage();
    keep_removed_stages();
    for (std::string& why : keep_numbers(before_, changes_.workflow, record_))
      changes_.refusals.push_back(std::move(why));
    if (!changes_.refusals.empty()) return std::move(changes_);
    const Plan after(changes_.workflow);
    for (std::uint32_t stage = 0; stage < after.stage_count(); ++stage) compare_stage(after, stage);
    return std::move(changes_);
  }

 private:
  void refuse_another_key() {
    if (to_json(before_.workflow().encryption) != to_json(changes_.workflow.encryption))
      changes_.refusals.emplace_back(
          "'encryption' cannot change within a run: what has finished is encrypted as it was; start a new "
          "run");
  }

  void tell_of_storage() {
    const StorageSettings &then = before_.workflow().storage, &now = changes_.workflow.storage;
    if (then.transport != now.transport)
      changes_.told.push_back(fmt::format("storage: {} instead of {}", now.transport, then.transport));
    if (then.hints != now.hints)
      changes_.told.push_back(
          fmt::format("storage: hints {} instead of {}", now.hints.dump(), then.hints.dump()));
  }

  void keep_removed_stages() {
    for (const Stage& stage : before_.workflow().stages) {
      if (changes_.workflow.find(stage.name) != nullptr) continue;
      const bool stays = has_begun(record_, stage.name);
      if (stays) changes_.workflow.stages.push_back(retired(stage));
      retired_.insert(stage.name);
      if (stage.when != never)
        changes_.told.push_back(fmt::format("{}: is gone{}", stage.name,
                                            stays ? "; what of it has not finished is skipped" : ""));
    }
  }

  void compare_stage(const Plan& after, std::uint32_t number) {
    const std::string& name = after.stage(number).name;
    if (retired_.contains(name)) return;
    const Stage* known = before_.workflow().find(name);
    if (known == nullptr) {
      changes_.told.push_back(
          fmt::format("{}: is new, {}", name, counted(after.instance_count(number), "instance")));
      return;
    }
    const std::uint32_t old_number = before_.stage_number(name);
    std::vector<std::string> told = other_than_results(*known, after.stage(number));
    if (after.instance_count(number) != before_.instance_count(old_number))
      told.push_back(fmt::format("{} instead of {}", counted(after.instance_count(number), "instance"),
                                 before_.instance_count(old_number)));
    std::size_t finished = 0;
    std::vector<std::string> first_differences;
    const std::uint32_t both = std::min(after.instance_count(number), before_.instance_count(old_number));
    for (std::uint32_t index = 0; index < both; ++index) {
      const Recipe then = recipe_as_written(before_, {old_number, index});
      const Recipe now = recipe_as_written(after, {number, index});
      if (then.key == now.key) continue;
      const std::vector<std::string> differ = differences(then, now);
      if (first_differences.empty()) first_differences = differ;
      const InstanceRecord* instance = record_.find(name, index);
      if (instance == nullptr || !instance->committed) continue;
      ++finished;
      changes_.redo[{name, index}] =
          differ.empty() ? "the workflow was edited" : fmt::format("{}", fmt::join(differ, "; "));
    }
    if (!first_differences.empty()) changes_.changed_stages.push_back(name);
    told.insert(told.end(), first_differences.begin(), first_differences.end());
    if (told.empty()) return;
    std::string line = fmt::format("{}: {}", name, fmt::join(told, "; "));
    if (finished > 0) line += fmt::format(" ({} runs again)", counted(finished, "finished instance"));
    changes_.told.push_back(std::move(line));
  }

  /// What changes how it is run, and not what it leaves.
  static std::vector<std::string> other_than_results(const Stage& then, const Stage& now) {
    std::vector<std::string> told;
    if (then.resources != now.resources)
      told.push_back(fmt::format("resources {} -> {}", then.resources.dump(), now.resources.dump()));
    if (then.when != now.when)
      told.push_back(now.when.empty() ? "'when' is gone" : fmt::format("when {}", now.when));
    if (then.needs != now.needs)
      told.push_back(now.needs.empty() ? "waits for nothing"
                                       : fmt::format("waits for {}", fmt::join(now.needs, ", ")));
    return told;
  }

  const Plan& before_;
  const RunRecord& record_;
  PlanChanges changes_;
  std::set<std::string> retired_;
};

}  // namespace

PlanChanges plan_changes(const Plan& before, Workflow after, const RunRecord& record) {
  return Comparison(before, std::move(after), record).compare();
}

}  // namespace kernmill
