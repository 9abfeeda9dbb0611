#include "kernmill/run/submit/cluster_view.hpp"

#include <algorithm>

#include "kernmill/run/submit/settling.hpp"
#include "kernmill/run/submit/submitted_array.hpp"

namespace kernmill {
namespace {

/// The instances of those elements of an array that a record speaks of.
IndexRanges instances_in(const ArrayPlan& array, const std::string& elements) {
  if (elements.empty()) return array.instances;
  IndexRanges indices;
  try {
    indices = IndexRanges::parse(elements.substr(0, elements.find('%')));
  } catch (const std::invalid_argument&) {
    return array.instances;  // a long list that Slurm has cut: "0-7,9,..."
  }
  IndexRanges instances;
  for (const auto& range : indices.ranges())
    for (std::uint32_t element = range.first; element <= range.last; ++element) {
      const IndexRanges of_element = array.instances_of(element);
      for (const auto& part : of_element.ranges())
        for (std::uint32_t instance = part.first; instance <= part.last; ++instance)
          if (array.instances.contains(instance)) instances.append(instance);
    }
  return instances;
}

void add_once(std::vector<std::string>& list, const std::string& id) {
  if (std::find(list.begin(), list.end(), id) == list.end()) list.push_back(id);
}

}  // namespace

ClusterView::ClusterView(const RunDirectory& run, const Plan& plan, const RunRecord& record,
                         const std::vector<ClusterJob>& jobs) {
  const auto arrays = submitted_arrays(plan, record);
  for (const auto& [identity, job] : live_jobs(run, jobs)) {
    add_once(jobs_, job.id);
    if (identity.key == closing_key) closing_.emplace_back(identity.generation, job.id);
    if (auto stage = stage_of_growth(identity.key)) growth_.emplace_back(std::move(*stage), job.id);
    const auto array = std::find_if(arrays.begin(), arrays.end(), [&, &who = identity](const auto& one) {
      return one.generation == who.generation && one.plan.key == who.key;
    });
    if (array == arrays.end()) continue;
    const bool running = job.state != JobState::pending;
    if (job.held && !running) held_[job.elements.empty() ? job.id : job.id + "_" + job.elements] = job.reason;
    parts_.push_back({array->plan.stage,
                      instances_in(array->plan, job.elements),
                      {running, job.elements.empty() ? job.id : job.id + "_" + job.elements, job.reason},
                      job.id,
                      kernmill::is_ending(job)});
  }
  // One element that runs says more than the list of pending ones that may contain it.
  std::stable_sort(parts_.begin(), parts_.end(),
                   [](const Part& a, const Part& b) { return a.queued.running && !b.queued.running; });
}

std::optional<QueuedInstance> ClusterView::find(InstanceId id) const {
  for (const Part& part : parts_)
    if (part.stage == id.stage && part.instances.contains(id.index)) return part.queued;
  return {};
}

bool ClusterView::is_ending(InstanceId id) const {
  const auto carries = [&](const Part& part) {
    return part.stage == id.stage && part.instances.contains(id.index);
  };
  return std::any_of(parts_.begin(), parts_.end(), carries) &&
         std::all_of(parts_.begin(), parts_.end(),
                     [&](const Part& part) { return !carries(part) || part.ending; });
}

std::vector<std::string> ClusterView::ending_jobs_of(std::uint32_t stage) const {
  std::vector<std::string> names;
  for (const Part& part : parts_)
    if (part.stage == stage && part.ending) add_once(names, part.queued.job);
  return names;
}

std::vector<std::string> ClusterView::jobs_of(std::uint32_t stage) const {
  std::vector<std::string> ids;
  for (const Part& part : parts_)
    if (part.stage == stage) add_once(ids, part.job);
  return ids;
}

bool ClusterView::only_waits_for_held() const {
  return !held_.empty() && std::all_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    return held_.contains(part.queued.job) || part.queued.reason.starts_with("Dependency");
  });
}

std::vector<std::string> ClusterView::closing_jobs() const {
  std::vector<std::string> ids;
  for (const auto& [generation, id] : closing_) ids.push_back(id);
  return ids;
}

std::vector<std::string> ClusterView::superseded_closing_jobs() const {
  std::vector<std::string> ids;
  for (const auto& [generation, id] : closing_)
    if (generation < std::max_element(closing_.begin(), closing_.end())->first) ids.push_back(id);
  return ids;
}

bool ClusterView::any_running() const {
  return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.queued.running; });
}

}  // namespace kernmill
