#include "kernmill/exec/element/journal_selection.hpp"

#include <fmt/format.h>

#include "kernmill/exec/attempt/parents.hpp"
#include "kernmill/run/submit/generation.hpp"

namespace kernmill::exec {
namespace {

/// The role in `<job>.<restart>.<host>.<role>.jsonl`; a host's name may have dots, too.
std::string_view role_in(std::string_view file) {
  constexpr std::string_view ending = ".jsonl";
  if (!file.ends_with(ending)) return {};
  file.remove_suffix(ending.size());
  return file.substr(file.rfind('.') + 1);
}

/// The first `count` parts of a name with dots.
std::string_view parts(std::string_view name, int count) {
  std::size_t end = 0;
  for (int i = 0; i < count && end != std::string_view::npos; ++i) end = name.find('.', i == 0 ? 0 : end + 1);
  return name.substr(0, end);
}

}  // namespace

void JournalSelection::add_instance(const Plan& plan, const std::vector<SubmittedArray>& arrays,
                                    InstanceId id) {
  jobs_.insert(fmt::format("{}.{}", plan.stage(id.stage).name, id.index));
  jobs_.insert(fmt::format("{}.pack", plan.stage(id.stage).name));
  for (const SubmittedArray& array : arrays)
    if (array.plan.stage == id.stage && array.plan.instances.contains(id.index))
      jobs_.insert(array.job_of(array.plan.element_of(id.index)));
}

void JournalSelection::add_stage(const Plan& plan, const std::vector<SubmittedArray>& arrays,
                                 std::uint32_t stage) {
  whole_.insert(plan.stage(stage).name);
  for (const SubmittedArray& array : arrays)
    if (array.plan.stage == stage) whole_.insert(array.job);
}

bool JournalSelection::wants(std::string_view file) const {
  if (role_in(file) != "exec") return true;
  // "12_3", or the stage of a run without a cluster. Another generation's job of the same id is none too
  // many.
  const auto on_cluster = job_file(file);
  const std::string_view job = on_cluster ? std::string_view(on_cluster->job) : parts(file, 1);
  return jobs_.contains(job) || jobs_.contains(parts(file, 2)) ||
         whole_.contains(job.substr(0, job.find('_'))) || whole_.contains(job);
}

void JournalSelection::add_parents(const Plan& plan, const std::vector<SubmittedArray>& arrays, InstanceId id,
                                   const std::set<std::uint32_t>& known) {
  for (const auto& stage : parents_of(plan, id)) {
    if (stage.size() == 1)
      add_instance(plan, arrays, stage.front());
    else if (!stage.empty() && !known.contains(stage.front().stage))
      add_stage(plan, arrays, stage.front().stage);
  }
}

}  // namespace kernmill::exec
