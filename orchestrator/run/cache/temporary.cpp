#include "kernmill/run/cache/temporary.hpp"

#include <algorithm>
#include <system_error>

#include "kernmill/run/cache/tree.hpp"
#include "kernmill/workflow/outputs.hpp"

namespace kernmill {
namespace {

bool leaves_temporary(const Stage& stage) {
  if (stage.kind != TaskKind::command) return false;
  const auto outputs = outputs_of(stage.config);
  return std::any_of(outputs.begin(), outputs.end(),
                     [](const DeclaredOutput& output) { return output.temp; });
}

}  // namespace

TemporaryArtifacts::TemporaryArtifacts(const Plan& plan) : plan_(&plan) {
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    has_.push_back(leaves_temporary(plan.stage(stage)));
}

bool TemporaryArtifacts::is_free(InstanceId id, const Settled& state) const {
  const auto& children = plan_->children(id.stage);
  return std::all_of(children.begin(), children.end(), [&](const Edge& child) {
    return child.kind == EdgeKind::each ? state.one({child.stage, id.index}) : state.all(child.stage);
  });
}

std::vector<InstanceId> TemporaryArtifacts::freed_by(InstanceId settled, const Settled& state) const {
  std::vector<InstanceId> freed;
  for (const Edge& parent : plan_->parents(settled.stage)) {
    if (!has_[parent.stage]) continue;
    const bool each = parent.kind == EdgeKind::each;
    if (!each && !state.all(settled.stage)) continue;
    const std::uint32_t first = each ? settled.index : 0;
    const std::uint32_t end = each ? settled.index + 1 : plan_->instance_count(parent.stage);
    for (std::uint32_t i = first; i < end; ++i)
      if (is_free({parent.stage, i}, state)) freed.push_back({parent.stage, i});
  }
  return freed;
}

void mark_temporary(std::vector<Artifact>& artifacts, const Json& config) {
  for (Artifact& artifact : artifacts) artifact.temp = false;
  for (const DeclaredOutput& output : outputs_of(config))
    for (Artifact& artifact : artifacts)
      if (output.temp && artifact.name == output.name) artifact.temp = true;
}

void remove_artifact(const Artifact& artifact) {
  std::error_code stays;
  if (!is_tree(artifact.path) || std::filesystem::is_directory(artifact.path)) {
    std::filesystem::remove_all(artifact.path, stays);
    return;
  }
  try {
    const Tree tree = tree_at(artifact.path, Links::kept);
    for (const TreeEntry& entry : tree.entries) std::filesystem::remove_all(tree.root / entry.name, stays);
  } catch (const std::runtime_error&) {
    return;
  }
}

}  // namespace kernmill
