#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/plan/decisions.hpp"
#include "kernmill/run/submit/batch_job.hpp"

namespace kernmill {
void hand_on_environment(BatchJob& job, const SubmissionContext& context, const Plan& plan) {
  Json names{{"jobs", Json::array()}, {"stages", Json::object()}};
  std::set<std::string> known;
  for (const auto& [name, value] : context.env) {
    names["jobs"].push_back(name);
    known.insert(name);
  }
  job.env = context.env;
  for (const Stage& stage : plan.workflow().stages) {
    if (!context.handed_over) continue;
    for (auto& [name, value] : context.handed_over(stage)) {
      names["stages"][stage.name].push_back(name);
      if (known.insert(name).second) job.env.emplace_back(name, std::move(value));
    }
  }
  job.env.emplace_back(growth_variable, names.dump());
}

BatchJob growth_job(const SubmissionContext& context, const Plan& plan, const GrowthJob& growth,
                    const std::map<std::string, std::string>& job_of) {
  const std::string key = growth_key(growth.stage);
  BatchJob job =
      small_job(context, plan, "what " + growth.stage + " decides", "grow", key, "--grow " + growth.stage);
  hand_on_environment(job, context, plan);
  std::vector<std::string> waits;
  for (const std::string& array : growth.waits) waits.push_back("afterok:" + job_of.at(array));
  for (const std::string& id : growth.after_jobs) waits.push_back("afterany:" + id);
  job.options.emplace_back("dependency", fmt::format("{}", fmt::join(waits, ",")));
  job.options.emplace_back("kill-on-invalid-dep", "yes");
  job.options.emplace_back("hold", "");
  return job;
}

std::vector<GrowthJob> growth_jobs(
    const Plan& plan, const std::vector<ArrayPlan>& arrays,
    const std::function<std::vector<std::string>(std::uint32_t stage)>& live_jobs) {
  std::vector<GrowthJob> all;
  const auto add = [&](const std::string& name) {
    if (std::any_of(all.begin(), all.end(), [&](const GrowthJob& job) { return job.stage == name; })) return;
    const std::uint32_t stage = plan.stage_number(name);
    GrowthJob job{name, {}, live_jobs ? live_jobs(stage) : std::vector<std::string>{}};
    const bool is_tune = plan.stage(stage).kind == TaskKind::tune;
    for (const ArrayPlan& array : arrays)
      if (array.stage == stage && !(is_tune && array.is_array)) job.waits.push_back(array.key);
    if (!job.waits.empty() || !job.after_jobs.empty()) all.push_back(std::move(job));
  };
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    if (plan.undecided(stage))
      for (const std::string& name : deciding_stages(plan.stage(stage).matrix)) add(name);
  return all;
}

}  // namespace kernmill
