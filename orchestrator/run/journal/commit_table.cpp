#include "kernmill/run/journal/commit_table.hpp"

#include <fmt/format.h>

namespace kernmill {
namespace {

bool truth(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0.0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.is_null();
}

std::string dotted(const NamePath& path) {
  std::string text;
  for (const std::string& part : path) text += (text.empty() ? "" : ".") + part;
  return text;
}

/// The first name in the template that nothing has a value for.
std::string unknown_name(const std::string& when, const Lookup& lookup) {
  for (const NamePath& path : names_in(when))
    if (!lookup(path)) return dotted(path);
  return when;
}

}  // namespace

void CommitTable::add(InstanceId id, InstanceResult result) {
  commits_[id] = std::move(result);
  leavings_.erase(id.stage);
}

StageLeavings CommitTable::leavings(std::uint32_t stage) const {
  const auto [known, is_new] = leavings_.try_emplace(stage);
  if (is_new) known->second = leavings_of(*plan_, stage, [this](InstanceId id) { return result(id); });
  return known->second;
}

std::optional<InstanceResult> CommitTable::result(InstanceId id) const {
  const auto found = commits_.find(id);
  return found == commits_.end() ? std::nullopt : std::optional(found->second);
}

Lookup CommitTable::lookup(InstanceId for_instance) const {
  return [this, for_instance](const NamePath& path) -> std::optional<Known> {
    if (path.size() == 2 && path[0] == "matrix") return plan_->matrix_value(for_instance, path[1]);
    if (path.size() == 3 && path[0] == "stages") return find(for_instance, path[1], path[2]);
    return {};
  };
}

std::optional<Known> CommitTable::find(InstanceId from, const std::string& stage,
                                       const std::string& name) const {
  const std::optional<InstanceId> meant = plan_->referred(from, plan_->stage_number(stage));
  const auto commit = meant ? commits_.find(*meant) : commits_.end();
  if (commit == commits_.end()) return {};
  if (commit->second.metrics.contains(name)) return commit->second.metrics[name];
  for (const Artifact& artifact : commit->second.artifacts)
    if (artifact.name == name) return Json(artifact.path);
  if (name == directory_name && !commit->second.artifacts.empty()) return Json(directory_of(commit->second));
  return {};
}

CommitTable commits_in(const Plan& plan, const RunRecord& record) {
  CommitTable commits(plan);
  for (const auto& [key, instance] : record.instances)
    if (instance.committed && plan.workflow().find(key.first) != nullptr)
      commits.add({plan.stage_number(key.first), key.second}, {instance.artifacts, instance.metrics});
  for (const auto& [stage, left] : record.left)
    if (plan.workflow().find(stage) != nullptr) commits.note_leavings(plan.stage_number(stage), left);
  return commits;
}

std::string why_false(const Plan& plan, InstanceId id, const CommitTable& commits) {
  const std::string& when = plan.stage(id.stage).when;
  std::string why = when + " is false";
  const Lookup lookup = commits.lookup(id);
  for (const NamePath& path : names_in(when))
    if (const auto known = lookup(path); known && known->value == "nan")
      return fmt::format("{}: {} is nan (not a number), and every comparison with that is false", why,
                         dotted(path));
  return why;
}

bool when_is_true(const Plan& plan, InstanceId id, const CommitTable& commits) {
  const std::string& when = plan.stage(id.stage).when;
  if (when.empty()) return true;
  const Lookup lookup = commits.lookup(id);
  const Json value = evaluate(when, lookup);
  if (value.is_string() && has_template(value.get<std::string>()))
    throw ExpressionError{fmt::format("nothing has left a value for {}", unknown_name(when, lookup))};
  return truth(value);
}

}  // namespace kernmill
