#include "kernmill/plan/resource_sets.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <unordered_map>

#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill {
namespace {

using Names = std::set<std::string, std::less<>>;

/// The axes that the templates in `value` mention.
void add_axes(const Json& value, Names& axes) {
  if (value.is_string())
    for (const NamePath& name : names_in(value.get_ref<const std::string&>()))
      if (name.size() == 2 && name[0] == "matrix") axes.insert(name[1]);
  if (value.is_structured())
    for (const Json& item : value) add_axes(item, axes);
}

/// Counts instances by the values of the axes that matter.
class Counter {
 public:
  Counter(const Matrix& matrix, const Names& wanted) : matrix_(matrix), wanted_(wanted) {
    // What is left out can be told from the axes that its rules name; all others only multiply.
    Names looked_at = wanted;
    for (const Json& rule : matrix.exclude)
      for (const auto& [axis, value] : rule.items()) looked_at.insert(axis);
    for (const AxisGroup& group : axis_groups(matrix)) {
      const auto axes = std::span(matrix.axes).subspan(group.first, group.end - group.first);
      if (std::any_of(axes.begin(), axes.end(),
                      [&](const auto& axis) { return looked_at.contains(axis.name); }))
        groups_.push_back(group);
      else
        others_ *= group.size;
    }
  }

  std::vector<ResourceSet> count() && {
    if (matrix_.undecided() || !matrix_.problem.empty()) return {};
    if (!matrix_.axes.empty()) walk(0, Json::object());
    for (const Json& combination : matrix_.include) add(combination, 1);
    return std::move(sets_);
  }

 private:
  void walk(std::size_t group, const Json& chosen) {
    if (group == groups_.size()) {
      if (!left_out(chosen)) add(chosen, others_);
      return;
    }
    for (std::size_t v = 0; v < groups_[group].size; ++v) {
      Json next = chosen;
      for (std::size_t a = groups_[group].first; a < groups_[group].end; ++a)
        next[matrix_.axes[a].name] = matrix_.axes[a].values[v];
      walk(group + 1, next);
    }
  }

  [[nodiscard]] bool left_out(const Json& chosen) const {
    return std::any_of(matrix_.exclude.begin(), matrix_.exclude.end(), [&](const Json& rule) {
      const auto items = rule.items();
      return std::all_of(items.begin(), items.end(), [&](const auto& item) {
        return chosen.contains(item.key()) && chosen.at(item.key()) == item.value();
      });
    });
  }

  void add(const Json& combination, std::uint64_t instances) {
    Json values = Json::object();
    for (const std::string& axis : wanted_)
      if (combination.contains(axis)) values[axis] = combination.at(axis);
    const auto [known, is_new] = numbers_.emplace(values.dump(), sets_.size());
    if (is_new) sets_.push_back({std::move(values), {}, 0, false});
    sets_[known->second].instances += instances;
  }

  const Matrix& matrix_;
  const Names& wanted_;
  std::vector<AxisGroup> groups_;  ///< those that have to be told apart
  std::uint64_t others_ = 1;
  std::vector<ResourceSet> sets_;
  std::unordered_map<std::string, std::size_t> numbers_;
};

Resources with_values(const Json& templates, const Json& values) {
  return to_resources(evaluate_all(templates, [&](const NamePath& name) -> std::optional<Json> {
    if (name.size() != 2 || name[0] != "matrix" || !values.contains(name[1])) return {};
    return values.at(name[1]);
  }));
}

}  // namespace

std::vector<ResourceSet> resource_sets(const Plan& plan, std::uint32_t number) {
  const Stage& stage = plan.stage(number);
  const std::uint32_t count = plan.instance_count(number);
  if (stage.matrix.empty()) {
    const bool tune = stage.kind == TaskKind::tune;
    std::vector<ResourceSet> sets;
    if (!tune || count > 1)
      sets.push_back({Json::object(), plan.resources({number, 0}), tune ? count - 1 : count, false});
    if (tune) sets.push_back({Json::object(), plan.resources({number, count - 1}), 1, true});
    return sets;
  }
  Names axes;
  add_axes(stage.resources, axes);
  std::vector<ResourceSet> sets = Counter(stage.matrix, axes).count();
  for (ResourceSet& set : sets) set.resources = with_values(stage.resources, set.values);
  return sets;
}

}  // namespace kernmill
