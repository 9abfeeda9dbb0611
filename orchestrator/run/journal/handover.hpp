#pragma once
#include <string>
#include <vector>

#include "kernmill/plan/packed_instance.hpp"
#include "kernmill/plan/plan.hpp"
#include "kernmill/run/journal/commit_table.hpp"

namespace kernmill {

/// What the attempts of instances have to know of the run's journal, as lines of one (`fold_lines` reads
/// them): the commits that they may refer to, which are few however many others there are. Their conductor
/// has decided that they may run, so what else their parents did is not among them.
std::string handover(const Plan& plan, const std::vector<InstanceId>& ids, const CommitTable& commits);

/// What an attempt has to know of the plan (plan/instance_plan.hpp), as the first of these lines.
std::string handover_of_plan(const Json& plan);
/// The plan in that line. Throws std::invalid_argument when the lines do not begin with one.
Plan handed_plan_in(const std::string& lines);

/// That an attempt of the instance has started, in the same form.
std::string handover_of_start(const Plan& plan, InstanceId id, unsigned attempt);

/// What a conductor has packed together for one job.
struct HandedPack {
  std::uint32_t slots = 1;  ///< how many run side by side
  bool fail_fast = false;
  std::vector<PackedInstance> instances;
};
/// As a line in front of the others; those who do not ask for it pass over it.
std::string to_line(const HandedPack& pack);
/// Throws std::invalid_argument when the lines do not begin with one.
HandedPack handed_pack_in(const std::string& lines);

}  // namespace kernmill
