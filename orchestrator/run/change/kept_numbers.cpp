#include "kernmill/run/change/kept_numbers.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "kernmill/plan/combinations.hpp"
#include "kernmill/run/cache/recipe.hpp"

namespace kernmill {
namespace {

constexpr std::uint32_t most_written_out = 100'000;  // combinations

std::vector<std::pair<Json, Json>> all_of(const Matrix& matrix) {
  const Combinations combinations(matrix);
  std::vector<std::pair<Json, Json>> all;
  for (std::uint32_t number = 0; number < combinations.size(); ++number)
    all.emplace_back(combinations.values(matrix, number), combinations.texts(matrix, number));
  return all;
}

/// The new matrix with the numbers of the old one: what both have stays in its place, what is new takes the
/// places that have become free, then those at the end.
Matrix in_old_order(const Matrix& before, const Matrix& after) {
  auto combinations = all_of(after);
  std::map<std::string, std::size_t> place;
  for (std::size_t i = 0; i < combinations.size(); ++i)
    place.emplace(canonical_json(combinations[i].first), i);
  std::vector<bool> used(combinations.size(), false);
  std::vector<std::optional<std::size_t>> order;
  for (const auto& [values, texts] : all_of(before)) {
    const auto found = place.find(canonical_json(values));
    order.push_back(found == place.end() ? std::nullopt : std::optional(found->second));
    if (found != place.end()) used[found->second] = true;
  }
  std::size_t next = 0;
  const auto next_new = [&]() -> std::optional<std::size_t> {
    while (next < used.size() && used[next]) ++next;
    return next < used.size() ? std::optional(next++) : std::nullopt;
  };
  for (auto& one : order)
    if (!one) one = next_new();
  while (const auto more = next_new()) order.push_back(more);
  Matrix matrix;
  for (const auto& one : order) {
    if (!one) continue;
    matrix.include.push_back(std::move(combinations[*one].first));
    matrix.include_texts.push_back(std::move(combinations[*one].second));
  }
  return matrix;
}

/// Whether combinations that both have, have the same numbers, without a look at each: the last are new.
bool same_beginning(const Matrix& before, const Matrix& after) {
  if (before.axes.size() != after.axes.size() || before.exclude != after.exclude || before.axes.empty())
    return same_combinations(before, after);
  for (std::size_t axis = 0; axis < before.axes.size(); ++axis) {
    if (before.axes[axis].name != after.axes[axis].name) return false;
    if (axis > 0 && before.axes[axis] != after.axes[axis]) return false;
  }
  const auto& then = before.axes.front().values;
  const auto& now = after.axes.front().values;
  const bool longer = now.size() >= then.size() && std::equal(then.begin(), then.end(), now.begin());
  return longer && (then.size() == now.size() || (before.include.empty() && before.exclude.empty())) &&
         before.include.size() <= after.include.size() &&
         std::equal(before.include.begin(), before.include.end(), after.include.begin());
}

std::uint64_t size_of(const Matrix& matrix) {
  return Combinations(matrix).size();
}

/// Stages of one matrix stay so: they get the order that the first of them that the run has needs.
void keep_order(const Plan& before, Workflow& after) {
  std::vector<std::pair<Matrix, Matrix>> reordered;
  for (const Stage& stage : after.stages) {
    const Stage* known = before.workflow().find(stage.name);
    const auto same = [&](const auto& one) { return same_combinations(one.first, stage.matrix); };
    if (known == nullptr || stage.matrix.empty() || known->matrix.empty() ||
        same_combinations(known->matrix, stage.matrix) || same_beginning(known->matrix, stage.matrix) ||
        std::any_of(reordered.begin(), reordered.end(), same) ||
        std::max(size_of(known->matrix), size_of(stage.matrix)) > most_written_out)
      continue;
    reordered.emplace_back(stage.matrix, in_old_order(known->matrix, stage.matrix));
  }
  for (Stage& stage : after.stages)
    for (const auto& [written, kept] : reordered)
      if (same_combinations(stage.matrix, written)) {
        stage.matrix = kept;
        break;
      }
}

}  // namespace

std::vector<std::string> keep_numbers(const Plan& before, Workflow& after, const RunRecord& record) {
  keep_order(before, after);
  const Plan plan(after);
  std::vector<std::string> refusals;
  std::string last_stage;
  for (const auto& [key, instance] : record.instances) {
    const auto& [name, index] = key;
    if (name == last_stage || before.workflow().find(name) == nullptr || after.find(name) == nullptr)
      continue;
    const InstanceId then{before.stage_number(name), index}, now{plan.stage_number(name), index};
    if (index >= before.instance_count(then.stage)) continue;
    const bool is_there =
        index < plan.instance_count(now.stage) && before.is_reduce(then) == plan.is_reduce(now);
    if (is_there && canonical_json(before.values(then)) == canonical_json(plan.values(now))) continue;
    last_stage = name;  // one for each stage is enough
    refusals.push_back(fmt::format(
        "{} has begun with {}, and the edited workflow has another instance in its place: leave what has "
        "begun in "
        "the {}, or start a new run: what has finished is taken from the cache",
        before.label(then),
        before.is_reduce(then) ? fmt::format("{} trials", index) : before.written_values(then).dump(),
        before.stage(then.stage).kind == TaskKind::tune ? "search as it was" : "matrix"));
  }
  return refusals;
}

}  // namespace kernmill
