#include "kernmill/plan/job_plan.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "kernmill/plan/packing.hpp"

namespace kernmill {
namespace {

using Wait = ArrayPlan::Wait;

/// What the instances of one array have in common.
struct Likeness {
  std::uint32_t chunk = 0;  ///< of indices that one array can have
  std::string resources;    ///< as JSON
  bool is_reduce = false;
  std::vector<bool> parents_run;  ///< by edge of the kind `each`: the instance's parent needs a job, too
  friend auto operator<=>(const Likeness&, const Likeness&) = default;
};

bool has_templates(const Json& value) {
  return value.dump().find("${{") != std::string::npos;
}

class Planner {
 public:
  Planner(const Plan& plan, const JobPlanOptions& options)
      : plan_(plan),
        options_(options),
        of_stage_(plan.stage_count()),
        may_be_skipped_(plan.stage_count()),
        has_to_wait_(plan.stage_count()) {}

  std::vector<ArrayPlan> make() {
    for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) {
      may_be_skipped_[stage] = !plan_.stage(stage).when.empty();
      for (const Edge& edge : plan_.parents(stage))
        may_be_skipped_[stage] = may_be_skipped_[stage] || may_be_skipped_[edge.stage];
      has_to_wait_[stage] = plan_.undecided(stage) || !plan_.stage(stage).matrix.problem.empty();
      for (const Edge& edge : plan_.parents(stage))
        has_to_wait_[stage] = has_to_wait_[stage] || has_to_wait_[edge.stage];
      if (!has_to_wait_[stage]) add_stage(stage);
    }
    return std::move(arrays_);
  }

 private:
  void add_stage(std::uint32_t stage) {
    std::map<Likeness, IndexRanges> groups;
    const bool alike = !has_templates(plan_.stage(stage).resources);
    for (std::uint32_t index = 0; index < plan_.instance_count(stage); ++index)
      if (needs_job({stage, index})) groups[likeness({stage, index}, alike)].append(index);
    for (const auto& [like, instances] : groups) add_array(stage, like, instances);
    share_parallel(stage);
  }

  [[nodiscard]] bool needs_job(InstanceId id) const { return !options_.needed || options_.needed(id); }

  Likeness likeness(InstanceId id, bool alike) const {
    Likeness like;
    like.is_reduce = plan_.is_reduce(id);
    if (plan_.stage(id.stage).pack == 1) like.chunk = id.index / options_.max_array_size;
    if (!alike) like.resources = to_json(plan_.resources(id)).dump();
    for (const Edge& edge : plan_.parents(id.stage))
      if (edge.kind == EdgeKind::each) like.parents_run.push_back(needs_job({edge.stage, id.index}));
    return like;
  }

  void add_array(std::uint32_t stage, const Likeness& like, const IndexRanges& instances) {
    ArrayPlan array;
    array.stage = stage;
    array.resources = plan_.resources({stage, instances.at(0)});
    array.is_array = plan_.instance_count(stage) > 1 && !like.is_reduce;
    array.first = like.is_reduce ? instances.at(0) : like.chunk * options_.max_array_size;
    array.instances = instances;
    const Packing packing = like.is_reduce
                                ? Packing{}
                                : packing_of(plan_.stage(stage), array.resources, instances.size(), options_);
    array.pack = packing.pack;
    array.slots = packing.slots;
    if (packing.pack > 1) array.resources = for_pack(array.resources, packing);
    // An array has indices below max_array_size: more elements than that are several arrays.
    const std::uint64_t fitting = std::uint64_t{array.pack} * options_.max_array_size;
    for (std::uint32_t rank = 0; rank < instances.size();) {
      ArrayPlan part = array;
      part.instances = instances.slice(
          rank, static_cast<std::uint32_t>(std::min<std::uint64_t>(fitting, instances.size() - rank)));
      rank += part.instances.size();
      part.key = fmt::format("{}.{}", plan_.stage(stage).name, of_stage_[stage].size());
      part.attempt = next_attempt(stage, part.instances);
      add_waits(part, like);
      of_stage_[stage].push_back(arrays_.size());
      arrays_.push_back(std::move(part));
    }
  }

  [[nodiscard]] unsigned next_attempt(std::uint32_t stage, const IndexRanges& instances) const {
    unsigned next = 1;
    if (!options_.next_attempt) return next;
    for (const auto& range : instances.ranges())
      for (std::uint32_t i = range.first; i <= range.last; ++i)
        next = std::max(next, options_.next_attempt({stage, i}));
    return next;
  }

  void add_waits(ArrayPlan& array, const Likeness& like) const {
    std::size_t each = 0;
    for (const Edge& edge : plan_.parents(array.stage)) {
      add_live_jobs(array, edge.stage);
      if (edge.kind == EdgeKind::all)
        wait_for_stage(array, edge.stage);
      else if (like.parents_run[each++])
        wait_for_instances(array, edge.stage);
    }
    if (!like.is_reduce) return;
    add_live_jobs(array, array.stage);
    const bool all_must_succeed = plan_.stage(array.stage).max_fails == 0;
    for (const std::size_t trials : of_stage_[array.stage])
      if (arrays_[trials].is_array)
        array.waits.push_back({arrays_[trials].key, all_must_succeed && arrays_[trials].pack == 1
                                                        ? Wait::Kind::success
                                                        : Wait::Kind::end});
  }

  void add_live_jobs(ArrayPlan& array, std::uint32_t stage) const {
    if (!options_.live_jobs) return;
    for (std::string& job : options_.live_jobs(stage)) array.after_jobs.push_back(std::move(job));
  }

  void wait_for_stage(ArrayPlan& array, std::uint32_t parent) const {
    const bool is_tune = plan_.stage(parent).kind == TaskKind::tune;
    const bool several = plan_.instance_count(parent) > 1 && !is_tune;
    // Where some may be missing without harm, Slurm cannot tell: the job itself looks.
    const bool lenient = several && (plan_.stage(parent).max_fails > 0 || may_be_skipped_[parent]);
    for (const std::size_t number : of_stage_[parent]) {
      const ArrayPlan& other = arrays_[number];
      if (is_tune && other.is_array) continue;  // its reduce waits for the trials
      array.waits.push_back({other.key, lenient || other.pack > 1 ? Wait::Kind::end : Wait::Kind::success});
    }
  }

  void wait_for_instances(ArrayPlan& array, std::uint32_t parent) const {
    for (const std::size_t number : of_stage_[parent]) {
      const ArrayPlan& other = arrays_[number];
      if (other.pack == array.pack && other.first == array.first && other.is_array && array.is_array &&
          (array.pack == 1 ? other.instances.contains(array.instances)
                           : other.instances == array.instances)) {
        array.waits.push_back({other.key, Wait::Kind::corresponding});
        return;
      }
    }
    for (const std::size_t number : of_stage_[parent])
      if (overlap(arrays_[number].instances, array.instances))
        array.waits.push_back({arrays_[number].key, Wait::Kind::end});
  }

  static bool overlap(const IndexRanges& a, const IndexRanges& b) {
    return std::any_of(a.ranges().begin(), a.ranges().end(), [&](const IndexRanges::Range& x) {
      return std::any_of(b.ranges().begin(), b.ranges().end(),
                         [&](const IndexRanges::Range& y) { return x.first <= y.last && y.first <= x.last; });
    });
  }

  /// Shares the stage's bound among its arrays. Where they are more than the bound, one waits for another.
  void share_parallel(std::uint32_t stage) {
    const auto bound = static_cast<std::uint32_t>(plan_.stage(stage).max_parallel);
    if (bound == 0) return;
    std::vector<std::size_t> arrays;
    for (const std::size_t number : of_stage_[stage])
      if (arrays_[number].is_array) arrays.push_back(number);
    const auto count = static_cast<std::uint32_t>(arrays.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      ArrayPlan& array = arrays_[arrays[i]];
      const std::uint32_t share = count <= bound ? bound / count + (i < bound % count ? 1 : 0) : 1;
      array.max_parallel = std::max(1U, share / array.slots);
      if (i >= bound) array.waits.push_back({arrays_[arrays[i - bound]].key, Wait::Kind::end});
    }
  }

  const Plan& plan_;
  const JobPlanOptions& options_;
  std::vector<ArrayPlan> arrays_;
  std::vector<std::vector<std::size_t>> of_stage_;  ///< indices of its arrays
  std::vector<bool> may_be_skipped_;
  std::vector<bool> has_to_wait_;  ///< for a plan that has grown
};

constexpr std::string_view growth_prefix = "grow+";  // a + is in no stage's name

}  // namespace

std::string growth_key(std::string_view stage) {
  return std::string(growth_prefix).append(stage);
}

std::optional<std::string> stage_of_growth(std::string_view key) {
  if (!key.starts_with(growth_prefix)) return {};
  return std::string(key.substr(growth_prefix.size()));
}

std::uint32_t ArrayPlan::elements() const {
  return (instances.size() + pack - 1) / pack;
}

IndexRanges ArrayPlan::element_indices() const {
  if (pack == 1) return instances.minus(first);
  return {0, elements() - 1};
}

IndexRanges ArrayPlan::instances_of(std::uint32_t element) const {
  if (pack == 1) return {first + element, first + element};
  return instances.slice(element * pack, pack);
}

std::uint32_t ArrayPlan::element_of(std::uint32_t instance) const {
  return pack == 1 ? instance - first : instances.rank_of(instance) / pack;
}

std::vector<ArrayPlan> plan_jobs(const Plan& plan, const JobPlanOptions& options) {
  return Planner(plan, options).make();
}

}  // namespace kernmill
