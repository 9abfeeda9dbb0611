#include "kernmill/exec/element/slurm_element.hpp"

#include <thread>

#include <fmt/format.h>

#include "kernmill/exec/element/pack_element.hpp"
#include "kernmill/exec/element/slurm_attempt.hpp"
#include "kernmill/exec/job/job_journal.hpp"
#include "kernmill/run/directory/plan_file.hpp"

namespace kernmill::exec {
namespace {

using std::chrono::milliseconds;

RetryBudget budget_of(std::chrono::seconds total) {
  return {total, [](milliseconds time) { std::this_thread::sleep_for(time); }};
}

const SubmittedArray& find_array(const std::vector<SubmittedArray>& arrays, const Options& options,
                                 const BatchPlace& place, const RunDirectory& run) {
  for (const SubmittedArray& array : arrays)
    if (array.generation == options.generation && array.plan.key == options.array) {
      if (!array.plan.element_indices().contains(place.element))
        throw std::invalid_argument(
            fmt::format("the array '{}' of {} has no element {}", options.array, run.name(), place.element));
      return array;
    }
  throw std::invalid_argument(fmt::format("the journal in {} knows of no array '{}' in generation {}",
                                          run.journal().string(), options.array, options.generation));
}

/// The arrays, the own one with the id that it runs under: its record may be on its way to this node still.
std::vector<SubmittedArray> known_arrays(const Plan& plan, const RunRecord& record, const Options& options,
                                         const BatchPlace& place) {
  std::vector<SubmittedArray> arrays = submitted_arrays(plan, record);
  for (SubmittedArray& array : arrays)
    if (array.generation == options.generation && array.plan.key == options.array) array.job = place.job;
  return arrays;
}

}  // namespace

int run_slurm_element(const Options& options, const RunDirectory& run, StopRequests& stop,
                      const JournalWriter::Hook& hook, const ClusterFactory& open_cluster) {
  const Environment environment = own_environment();
  const auto [plan, launcher] = read_plan_file(run);
  const RunRecord submissions =
      fold_journal(run.journal(), [](std::string_view file) { return file.starts_with("submit-"); });
  BatchPlace place = batch_place(environment);
  OwnJob job(open_cluster, place.name());
  auto arrays = known_arrays(plan, submissions, options, place);
  const SubmittedArray array = find_array(arrays, options, place, run);
  const auto journal = job_journal(run, place, options.generation, "exec", hook);
  InBatch batch{place, job, budget_of(std::chrono::minutes(10))};
  const ElementContext context{
      run,
      plan,
      launcher,
      environment,
      batch,
      std::move(arrays),
      array,
      submissions.generations.at(options.generation).fail_fast,
      options.no_cache,
      budget_of(std::chrono::seconds(number_of(environment, "KERNMILL_FILE_PATIENCE", 10))),
      budget_of(std::chrono::minutes(2))};
  if (array.plan.pack > 1) return run_pack_element(context, *journal, stop);
  const InstanceId id{array.plan.stage, array.plan.instances_of(place.element).at(0)};
  return run_slurm_attempt(context, id, *journal, stop);
}

}  // namespace kernmill::exec
