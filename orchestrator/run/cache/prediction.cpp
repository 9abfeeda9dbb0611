#include "kernmill/run/cache/prediction.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/plan/gathering.hpp"
#include "kernmill/run/journal/commit_table.hpp"

namespace kernmill {
namespace {

using What = Decision::What;

Decision runs(std::string reason) {
  return {What::runs, std::move(reason), nullptr};
}

/// The two most telling differences, and how many more there are.
std::string summary(const std::vector<std::string>& differences) {
  constexpr std::size_t shown = 2;
  const auto end = differences.begin() + static_cast<std::ptrdiff_t>(std::min(shown, differences.size()));
  std::string text = fmt::format("{}", fmt::join(differences.begin(), end, "; "));
  if (differences.size() > shown) text += fmt::format("; and {} more", differences.size() - shown);
  return text;
}

std::string why_not_cached(const Plan& plan, InstanceId id, const Recipe& recipe, const Cache& cache) {
  if (const auto entry = cache.read(recipe.key))
    return fmt::format("the artifacts of its result in {} are gone or were changed", entry->run);
  const auto newest = cache.newest(plan.workflow().name, plan.stage(id.stage).name, id.index);
  if (!newest) return "no earlier result";
  return summary(differences(newest->recipe, recipe));
}

std::optional<InstanceResult> result_of(const Decision& decision) {
  if (decision.what != What::cached) return {};
  return InstanceResult{decision.entry->artifacts, decision.entry->metrics};
}

/// Whether the instance's `when` is true; nothing as long as it speaks of what will run first.
std::optional<bool> is_switched_on(const Plan& plan, InstanceId id, const ResultOf& results) {
  if (plan.stage(id.stage).when.empty()) return true;
  CommitTable commits(plan);
  for (const Edge& edge : plan.parents(id.stage))
    if (const auto parent = plan.referred(id, edge.stage))
      if (auto result = results(*parent)) commits.add(*parent, std::move(*result));
  try {
    return when_is_true(plan, id, commits);
  } catch (const ExpressionError&) {
    return {};
  }
}

}  // namespace

std::string to_string(const Decision& decision) {
  static constexpr std::array<std::string_view, 3> words{"runs", "cached", "skipped"};
  return fmt::format("{}: {}", words.at(static_cast<std::size_t>(decision.what)), decision.reason);
}

Decision decide(const Plan& plan, InstanceId id, const ResultOf& result_of, Cache& cache,
                DigestStore& digests, const ProgramDigests& programs, const LeavingsOf& leavings_of) {
  const auto outcome = recipe_of(plan, id, result_of, digests, programs, leavings_of);
  if (const auto* none = std::get_if<NoRecipe>(&outcome)) return runs(none->why);
  const Recipe& recipe = std::get<Recipe>(outcome);
  auto entry = cache.lookup(recipe.key);
  if (!entry) return runs(why_not_cached(plan, id, recipe, cache));
  std::string reason = fmt::format("same task, configuration, inputs and program as in {}", entry->run);
  return {What::cached, std::move(reason), std::make_shared<const CacheEntry>(std::move(*entry))};
}

const Decision& CachePrediction::of(InstanceId id) const {
  const StageDecisions& stage = stages_.at(id.stage);
  return stage.shared ? *stage.shared : stage.each.at(id.index);
}

const Decision* CachePrediction::shared(std::uint32_t stage) const {
  return stages_.at(stage).shared ? &*stages_[stage].shared : nullptr;
}

std::uint32_t CachePrediction::count(std::uint32_t number, What what) const {
  const StageDecisions& stage = stages_.at(number);
  if (stage.shared) return stage.shared->what == what ? stage.instances : 0;
  return static_cast<std::uint32_t>(
      std::count_if(stage.each.begin(), stage.each.end(),
                    [what](const Decision& decision) { return decision.what == what; }));
}

/// One decision for the whole stage where there is but one.
std::optional<Decision> common(const std::vector<Decision>& each) {
  if (each.empty()) return {};
  const auto alike = [&](const Decision& decision) {
    return decision.what == each.front().what && decision.what != What::cached &&
           decision.reason == each.front().reason;
  };
  if (each.size() > 1 && !std::all_of(each.begin(), each.end(), alike)) return {};
  return each.front();
}

/// Goes through the stages, parents first.
class Predictor {
 public:
  Predictor(const Plan& plan, Cache& cache, DigestStore& digests, const ProgramDigests& programs,
            CachePrediction& prediction)
      : plan_(plan), cache_(cache), digests_(digests), programs_(programs), prediction_(prediction) {}

  /// What holds for every instance of the stage, at a cost that does not depend on their number.
  std::optional<Decision> shared_by_all(std::uint32_t stage, const PredictOptions& options) {
    if (auto skipped = skipped_with_parent(stage)) return skipped;
    if (options.no_cache) return runs("--no-cache");
    never_ = why_never_cached(plan_, stage, programs_);
    if (!never_.empty()) return plan_.stage(stage).when.empty() ? std::optional(runs(never_)) : std::nullopt;
    parents_ = result_parents(plan_, stage);
    for (const std::uint32_t parent : parents_)
      if (will_all_run(parent) || (!plan_.referred({stage, 0}, parent) && will_some_run(parent)))
        return runs(fmt::format("{} will run first", plan_.stage(parent).name));
    return {};
  }

  Decision of(InstanceId id) {
    for (const Edge& edge : plan_.parents(id.stage)) {
      const bool each = edge.kind == EdgeKind::each;
      if (each && prediction_.of({edge.stage, id.index}).what == What::skipped)
        return {What::skipped, fmt::format("{} is skipped", plan_.label({edge.stage, id.index})), nullptr};
    }
    for (const Gathering& gathered : gatherings_of(plan_, id.stage))
      if (prediction_.count(gathered.stage, What::runs) > 0)
        return runs(fmt::format("{} will run first", plan_.stage(gathered.stage).name));
    const ResultOf results = [this](InstanceId parent) { return result_of(prediction_.of(parent)); };
    const auto is_on = is_switched_on(plan_, id, results);
    if (is_on == false) return {What::skipped, "its `when` is false", nullptr};
    if (!never_.empty()) return runs(never_);
    for (const std::uint32_t parent : parents_)
      if (const auto one = plan_.referred(id, parent); one && prediction_.of(*one).what == What::runs)
        return runs(fmt::format("{} will run first",
                                plan_.is_reduce(*one) ? plan_.stage(parent).name : plan_.label(*one)));
    if (!is_on) return runs("its `when` speaks of what will run first");
    return decide(plan_, id, results, cache_, digests_, programs_, leavings_);
  }

 private:
  [[nodiscard]] bool will_all_run(std::uint32_t stage) const {
    const Decision* decision = prediction_.shared(stage);
    return decision != nullptr && decision->what == What::runs;
  }
  [[nodiscard]] bool will_some_run(std::uint32_t stage) const {
    return prediction_.count(stage, What::runs) > 0;
  }

  std::optional<Decision> skipped_with_parent(std::uint32_t stage) {
    for (const Edge& edge : plan_.parents(stage)) {
      const std::uint32_t instances = plan_.instance_count(edge.stage);
      if (instances > 0 && prediction_.count(edge.stage, What::skipped) == instances)
        return Decision{What::skipped, fmt::format("{} is skipped", plan_.stage(edge.stage).name), nullptr};
    }
    return {};
  }

  const Plan& plan_;
  Cache& cache_;
  DigestStore& digests_;
  const ProgramDigests& programs_;
  CachePrediction& prediction_;
  std::vector<std::uint32_t> parents_;            ///< of the stage that it is at
  std::string never_;                             ///< why nothing of it is ever cached; empty: it may be
  std::map<std::uint32_t, StageLeavings> whole_;  ///< of stages that others wait for
  LeavingsOf leavings_ = [this](std::uint32_t stage) {
    const auto [known, is_new] = whole_.try_emplace(stage);
    if (is_new)
      known->second =
          leavings_of(plan_, stage, [this](InstanceId id) { return result_of(prediction_.of(id)); });
    return known->second;
  };
};

CachePrediction predict(const Plan& plan, Cache& cache, DigestStore& digests, const ProgramDigests& programs,
                        const PredictOptions& options) {
  CachePrediction prediction;
  Predictor predictor(plan, cache, digests, programs, prediction);
  prediction.stages_.reserve(plan.stage_count());
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    auto& decisions = prediction.stages_.emplace_back();
    decisions.instances = plan.instance_count(stage);
    decisions.shared = predictor.shared_by_all(stage, options);
    if (decisions.shared) continue;
    for (std::uint32_t i = 0; i < decisions.instances; ++i)
      decisions.each.push_back(predictor.of({stage, i}));
    decisions.shared = common(decisions.each);
    if (decisions.shared) decisions.each = {};
  }
  return prediction;
}

}  // namespace kernmill
