#include "kernmill/exec/local_pack.hpp"

#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/exec/pack/pack.hpp"
#include "kernmill/os/core_sets.hpp"
#include "kernmill/os/durable_file.hpp"
#include "kernmill/plan/packing.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/journal/handover.hpp"

namespace kernmill::exec {
namespace {

constexpr const char* handed_over = "/dev/stdin";

/// The pack as an element of an array, which it would be in a job.
ArrayPlan element_of(const Plan& plan, const std::string& stage, const HandedPack& pack) {
  ArrayPlan array;
  array.key = stage;
  array.stage = plan.stage_number(stage);
  for (const PackedInstance& instance : pack.instances) array.instances.append(instance.index);
  array.pack = static_cast<std::uint32_t>(pack.instances.size());
  array.slots = pack.slots;
  array.resources =
      for_pack(plan.resources({array.stage, pack.instances.front().index}), {array.pack, array.slots});
  return array;
}

}  // namespace

int run_local_pack(const Options& options, const RunDirectory& run, StopRequests& stop,
                   const JournalWriter::Hook& hook) {
  const std::string lines = read_file(handed_over);
  const HandedPack pack = handed_pack_in(lines);
  const auto [plan, launcher] = read_plan_file(run);
  const ArrayPlan array = element_of(plan, options.attempt.stage, pack);
  PackOptions how{run, plan, array, pack.instances, options.job};
  if (!launcher.empty()) how.launcher = launcher;
  how.token = value_of(own_environment(), "KERNMILL_TOKEN");
  how.no_cache = options.no_cache;
  how.fail_fast = pack.fail_fast;
  how.shares_cores = static_cast<std::size_t>(array.resources.cores()) < allowed_cores().size();
  JournalWriter journal(run.journal(), options.job, options.restart, "exec", hook);
  return run_pack(how, commits_in(plan, fold_lines(lines, handed_over)), journal, stop);
}

}  // namespace kernmill::exec
