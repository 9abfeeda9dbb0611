#include "kernmill/run/submit/withdrawal.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "kernmill/run/submit/settling.hpp"
#include "kernmill/run/submit/submitted_array.hpp"

namespace kernmill {
namespace {

constexpr const char* never = "DependencyNeverSatisfied";

IndexRanges set_of(const std::set<std::uint32_t>& numbers) {
  IndexRanges ranges;
  for (const std::uint32_t number : numbers) ranges.append(number);
  return ranges;
}

/// The elements of an array that the cluster still knows.
struct Queued {
  const SubmittedArray* array = nullptr;
  std::set<std::uint32_t> waiting, running, hopeless;  ///< hopeless ones wait, too
};

class Search {
 public:
  Search(const RunDirectory& run, const Plan& plan, const RunRecord& record,
         const std::vector<ClusterJob>& jobs, const std::function<bool(InstanceId)>& needs_run)
      : plan_(plan),
        needs_run_(needs_run),
        arrays_(submitted_arrays(plan, record)),
        missing_(plan.stage_count()) {
    for (const auto& [identity, job] : live_jobs(run, jobs)) add(identity, job);
    for (auto& [id, queued] : queued_)
      for (const std::uint32_t element : queued.running) queued.waiting.erase(element);
  }

  /// By job, its elements that are to go.
  std::map<std::string, std::set<std::uint32_t>> find() {
    std::map<std::string, std::set<std::uint32_t>> found;
    for (std::uint32_t stage = 0; stage < plan_.stage_count(); ++stage) {
      find_missing(stage);
      for (const auto& [id, queued] : queued_)
        if (queued.array->plan.stage == stage)
          for (const std::uint32_t element : queued.waiting)
            if (queued.hopeless.contains(element) || is_stranded(*queued.array, element)) {
              found[id].insert(element);
              add_missing(*queued.array, element);
            }
    }
    return found;
  }

  [[nodiscard]] bool is_array(const std::string& id) const { return queued_.at(id).array->plan.is_array; }
  /// Whether these are all elements of the job that have not ended.
  [[nodiscard]] bool is_all_of(const std::string& id, const std::set<std::uint32_t>& elements) const {
    return queued_.at(id).running.empty() && queued_.at(id).waiting == elements;
  }
  /// The elements that a record of a waiting part of such a job speaks of.
  [[nodiscard]] std::set<std::uint32_t> waiting_in(const ClusterJob& job) const {
    std::set<std::uint32_t> elements = elements_of(*queued_.at(job.id).array, job);
    std::erase_if(elements, [&](std::uint32_t one) { return !queued_.at(job.id).waiting.contains(one); });
    return elements;
  }

 private:
  void add(const JobIdentity& identity, const ClusterJob& job) {
    const auto array = std::find_if(arrays_.begin(), arrays_.end(), [&](const SubmittedArray& one) {
      return one.generation == identity.generation && one.plan.key == identity.key;
    });
    if (array == arrays_.end() || is_ending(job)) return;
    Queued& queued = queued_[job.id];
    queued.array = &*array;
    const bool waits = job.state == JobState::pending;
    for (const std::uint32_t element : elements_of(*array, job)) {
      (waits ? queued.waiting : queued.running).insert(element);
      if (waits && job.reason == never) queued.hopeless.insert(element);
    }
  }

  /// Those that a record speaks of. A long list is one that Slurm has cut ("0-7,9,..."): all that no other
  /// record speaks of.
  static std::set<std::uint32_t> elements_of(const SubmittedArray& array, const ClusterJob& job) {
    IndexRanges ranges = array.plan.element_indices();
    if (!job.elements.empty()) try {
        ranges = IndexRanges::parse(job.elements.substr(0, job.elements.find('%')));
      } catch (const std::invalid_argument&) {
      }
    std::set<std::uint32_t> elements;
    for (const auto& range : ranges.ranges())
      for (std::uint32_t element = range.first; element <= range.last; ++element) elements.insert(element);
    return elements;
  }

  /// Instances of the stage that have no job.
  void find_missing(std::uint32_t stage) {
    std::set<std::uint32_t> in_queue;
    for (const auto& [id, queued] : queued_) {
      if (queued.array->plan.stage != stage) continue;
      for (const auto* elements : {&queued.waiting, &queued.running})
        for (const std::uint32_t element : *elements)
          for_each_instance(*queued.array, element, [&](std::uint32_t i) { in_queue.insert(i); });
    }
    for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i)
      if (!in_queue.contains(i) && needs_run_({stage, i})) missing_[stage].insert(i);
  }

  void add_missing(const SubmittedArray& array, std::uint32_t element) {
    for_each_instance(array, element, [&](std::uint32_t i) {
      if (needs_run_({array.plan.stage, i})) missing_[array.plan.stage].insert(i);
    });
  }

  bool is_stranded(const SubmittedArray& array, std::uint32_t element) const {
    bool stranded = false;
    for_each_instance(array, element, [&](std::uint32_t i) {
      const InstanceId id{array.plan.stage, i};
      stranded = stranded || (needs_run_(id) && lacks_a_parent(id));
    });
    return stranded;
  }

  bool lacks_a_parent(InstanceId id) const {
    if (plan_.is_reduce(id) && !missing_[id.stage].empty()) return true;
    const auto& parents = plan_.parents(id.stage);
    return std::any_of(parents.begin(), parents.end(), [&](const Edge& edge) {
      const auto& missing = missing_[edge.stage];
      return edge.kind == EdgeKind::each ? missing.contains(id.index) : !missing.empty();
    });
  }

  template <typename Visit>
  static void for_each_instance(const SubmittedArray& array, std::uint32_t element, const Visit& visit) {
    const IndexRanges instances = array.plan.instances_of(element);
    for (const auto& range : instances.ranges())
      for (std::uint32_t i = range.first; i <= range.last; ++i)
        if (array.plan.instances.contains(i)) visit(i);
  }

  const Plan& plan_;
  const std::function<bool(InstanceId)>& needs_run_;
  std::vector<SubmittedArray> arrays_;
  std::map<std::string, Queued> queued_;          ///< by job
  std::vector<std::set<std::uint32_t>> missing_;  ///< by stage
};

}  // namespace

Withdrawal withdrawal(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                      const std::vector<ClusterJob>& jobs, const std::function<bool(InstanceId)>& needs_run) {
  Search search(run, plan, record, jobs, needs_run);
  const auto found = search.find();
  Withdrawal result;
  for (const auto& [id, elements] : found) {
    if (!search.is_array(id) || search.is_all_of(id, elements))
      result.jobs.push_back(id);
    else if (elements.size() == 1)
      result.jobs.push_back(fmt::format("{}_{}", id, *elements.begin()));
    else
      result.jobs.push_back(fmt::format("{}_[{}]", id, set_of(elements).text()));
  }
  for (ClusterJob job : jobs) {
    const auto gone = found.find(job.id);
    if (gone == found.end() || job.state != JobState::pending) {
      result.left.push_back(std::move(job));
      continue;
    }
    if (!search.is_array(job.id)) continue;
    std::set<std::uint32_t> rest;
    for (const std::uint32_t element : search.waiting_in(job))
      if (!gone->second.contains(element)) rest.insert(element);
    if (rest.empty()) continue;
    job.elements = set_of(rest).text();
    result.left.push_back(std::move(job));
  }
  return result;
}

}  // namespace kernmill
