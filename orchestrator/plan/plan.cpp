#include "kernmill/plan/plan.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <queue>
#include <stdexcept>
#include <unordered_map>

#include <fmt/format.h>

#include "kernmill/workflow/command_stage.hpp"

namespace kernmill {
namespace {

using StageNumbers = std::unordered_map<std::string, std::uint32_t>;

StageNumbers numbers(const std::vector<Stage>& stages) {
  StageNumbers result;
  for (std::uint32_t s = 0; s < stages.size(); ++s) result.emplace(stages[s].name, s);
  return result;
}

/// Kahn's algorithm; of the stages that may come next, the one that the file has first.
std::vector<std::uint32_t> parents_first(const std::vector<Stage>& stages) {
  const StageNumbers number = numbers(stages);
  std::vector<std::vector<std::uint32_t>> children(stages.size());
  std::vector<std::size_t> waits_for(stages.size(), 0);
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> next;
  for (std::uint32_t s = 0; s < stages.size(); ++s) {
    for (const std::string& need : stages[s].needs) children[number.at(need)].push_back(s);
    waits_for[s] = stages[s].needs.size();
    if (waits_for[s] == 0) next.push(s);
  }
  std::vector<std::uint32_t> order;
  while (!next.empty()) {
    order.push_back(next.top());
    next.pop();
    for (const std::uint32_t child : children[order.back()])
      if (--waits_for[child] == 0) next.push(child);
  }
  if (order.size() != stages.size()) throw std::invalid_argument("the stages of a plan wait for each other");
  return order;
}

std::optional<Known> known_at(const Json& values, const Json& texts, const std::string& name) {
  const auto value = values.find(name);
  return value == values.end() ? std::nullopt : std::optional(Known(*value, texts.value(name, "")));
}

/// The values at `matrix.NAME`.
Lookup matrix_lookup(const Json& values, const Json& texts) {
  return [&](const NamePath& path) -> std::optional<Known> {
    if (path.size() != 2 || path[0] != "matrix") return {};
    return known_at(values, texts, path[1]);
  };
}

Resources for_reduce(const Resources& trial) {
  Resources resources = trial;
  resources.nodes_min = resources.nodes_max = 0;
  resources.ntasks = resources.cpus_per_task = 1;
  resources.ntasks_per_node = 0;
  resources.ntasks_by_node = false;
  resources.gpus = resources.gpus_per_node = resources.gpus_per_task = resources.gres = "";
  return resources;
}

/// Choices that are no numbers as JSON spells them: 3.10.
Json point_texts(const Json& space, const Json& point) {
  Json texts = Json::object();
  for (const auto& [name, value] : point.items()) {
    const Json& domain = space.at(name);
    if (!domain.contains("texts")) continue;
    const Json& values = domain.at("values");
    const auto place = std::find(values.begin(), values.end(), value) - values.begin();
    const std::string text = domain.at("texts").at(static_cast<std::size_t>(place));
    if (!text.empty()) texts[name] = text;
  }
  return texts;
}

Json parts_of(const Json& config, std::initializer_list<const char*> names) {
  Json parts = Json::object();
  for (const char* name : names) parts[name] = config.at(name);
  return parts;
}

/// What `point.NAME` stands for.
Lookup point_lookup(const Json& point, const Json& texts) {
  return [point, texts](const NamePath& name) -> std::optional<Known> {
    if (name.size() != 2 || name[0] != "point" || !point.contains(name[1])) return {};
    return Known(point.at(name[1]), texts.value(name[1], ""));
  };
}

}  // namespace

Plan::Plan(Workflow workflow) : workflow_(std::move(workflow)) {
  sort_stages();
  connect();
  count();
}

void Plan::sort_stages() {
  std::vector<Stage> sorted;
  sorted.reserve(workflow_.stages.size());
  for (const std::uint32_t stage : parents_first(workflow_.stages))
    sorted.push_back(std::move(workflow_.stages[stage]));
  workflow_.stages = std::move(sorted);
}

void Plan::connect() {
  parents_.resize(stage_count());
  children_.resize(stage_count());
  const StageNumbers number = numbers(workflow_.stages);
  for (std::uint32_t child = 0; child < stage_count(); ++child)
    for (const std::string& need : stage(child).needs) {
      const std::uint32_t parent = number.at(need);
      const bool same = same_combinations(stage(parent).matrix, stage(child).matrix);
      const EdgeKind kind = same ? EdgeKind::each : EdgeKind::all;
      parents_[child].push_back({parent, kind});
      children_[parent].push_back({child, kind});
    }
}

void Plan::count() {
  for (const Stage& stage : workflow_.stages) {
    const bool tune = stage.kind == TaskKind::tune;
    if (tune && !stage.matrix.empty())
      throw std::invalid_argument(
          fmt::format("tune stage {} has a matrix; its space makes the instances", stage.name));
    combinations_.emplace_back(stage.matrix);
    spaces_.emplace_back();
    if (tune) spaces_.back().emplace(stage.config.at("space"), stage.config.at("strategy"));
    if (tune)
      counts_.push_back(spaces_.back()->trials() + 1);
    else
      counts_.push_back(stage.matrix.empty() ? 1 : combinations_.back().size());
  }
}

std::uint32_t Plan::stage_number(std::string_view name) const {
  for (std::uint32_t s = 0; s < stage_count(); ++s)
    if (stage(s).name == name) return s;
  throw std::out_of_range(fmt::format("there is no stage {}", name));
}

std::uint64_t Plan::total_instances() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

bool Plan::all_decided() const {
  return std::none_of(workflow_.stages.begin(), workflow_.stages.end(),
                      [](const Stage& stage) { return stage.matrix.undecided(); });
}

bool Plan::is_reduce(InstanceId id) const {
  return spaces_[id.stage] && id.index + 1 == counts_[id.stage];
}

std::optional<InstanceId> Plan::referred(InstanceId id, std::uint32_t parent) const {
  for (const Edge& edge : parents_[id.stage])
    if (edge.stage == parent && edge.kind == EdgeKind::each) return InstanceId{parent, id.index};
  if (spaces_[parent] || counts_[parent] == 1) return InstanceId{parent, counts_[parent] - 1};
  return {};
}

Json Plan::values(InstanceId id) const {
  if (is_reduce(id)) return Json::object();
  if (spaces_[id.stage]) return spaces_[id.stage]->point(id.index);
  const Matrix& matrix = stage(id.stage).matrix;
  return matrix.empty() ? Json::object() : combinations_[id.stage].values(matrix, id.index);
}

Json Plan::texts(InstanceId id) const {
  if (spaces_[id.stage]) return point_texts(stage(id.stage).config.at("space"), values(id));
  const Matrix& matrix = stage(id.stage).matrix;
  return matrix.empty() ? Json::object() : combinations_[id.stage].texts(matrix, id.index);
}

Json Plan::written_values(InstanceId id) const {
  Json result = values(id);
  const Json written = texts(id);
  for (const auto& [name, text] : written.items()) result[name] = text;
  return result;
}

std::optional<Known> Plan::matrix_value(InstanceId id, const std::string& axis) const {
  return known_at(values(id), texts(id), axis);
}

Json Plan::with_matrix(InstanceId id, const Json& templates) const {
  if (searches_with_command(stage(id.stage)) && !is_reduce(id))
    return evaluate_all(templates, point_lookup(values(id), texts(id)));
  if (stage(id.stage).matrix.empty()) return templates;
  const Json combination = values(id), written = texts(id);
  return evaluate_all(templates, matrix_lookup(combination, written));
}

Json Plan::config(InstanceId id) const {
  const Json& config = stage(id.stage).config;
  if (!spaces_[id.stage]) return with_matrix(id, config);
  const bool runs = config.contains("run");
  if (is_reduce(id)) return runs ? parts_of(config, {"space", "strategy", "objective"}) : config;
  if (runs) return with_matrix(id, parts_of(config, {"run", "restart", "outputs"}));
  return {{"train", with_point(config.at("train"), values(id))}, {"objective", config.at("objective")}};
}

Json Plan::env(InstanceId id) const {
  return with_matrix(id, stage(id.stage).env);
}

std::vector<Input> Plan::inputs(InstanceId id) const {
  std::vector<Input> inputs = stage(id.stage).inputs;
  for (Input& input : inputs)
    if (has_template(input.path) && !is_reduce(id))
      input.path = with_matrix(id, input.path).get<std::string>();
  return inputs;
}

Resources Plan::resources(InstanceId id) const {
  const Resources resources = to_resources(with_matrix(id, stage(id.stage).resources));
  return is_reduce(id) ? for_reduce(resources) : resources;
}

std::string Plan::label(InstanceId id) const {
  const Stage& stage = workflow_.stages[id.stage];
  if (is_reduce(id)) return stage.name + ".reduce";
  if (stage.matrix.empty() && !spaces_[id.stage]) return stage.name;
  return fmt::format("{}[{}]", stage.name, id.index);
}

}  // namespace kernmill
