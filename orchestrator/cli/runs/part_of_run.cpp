#include "kernmill/cli/runs/part_of_run.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/did_you_mean.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/plan/part.hpp"
#include "kernmill/run/cache/prediction.hpp"

namespace kernmill::cli {
namespace {

void check_names(const Workflow& workflow, const std::vector<std::string>& wanted, const char* option) {
  std::vector<std::string> names;
  for (const Stage& stage : workflow.stages) names.push_back(stage.name);
  for (const std::string& name : wanted) {
    if (workflow.find(name) != nullptr) continue;
    const std::string guess = did_you_mean(name, names);
    throw UsageError(fmt::format("--{}: there is no stage '{}'", option, name),
                     guess.empty() ? fmt::format("the stages are {}", fmt::join(names, ", ")) : guess);
  }
}

/// A stage that would have to run although it is not wanted, and why.
struct NotReady {
  std::string stage, why;
};

std::optional<NotReady> not_ready(const Plan& plan, const std::vector<std::string>& wanted,
                                  const std::filesystem::path& root) {
  DigestStore digests(root);
  Cache cache(root, digests);
  const Programs programs = find_programs();
  const CachePrediction prediction =
      predict(plan, cache, digests, program_digests(digests, programs.task, programs.exec));
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) {
    const std::string& name = plan.stage(stage).name;
    if (prediction.count(stage, Decision::What::runs) == 0) continue;
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
    if (const Decision* shared = prediction.shared(stage)) return NotReady{name, shared->reason};
    for (std::uint32_t i = 0; i < plan.instance_count(stage); ++i)
      if (prediction.of({stage, i}).what == Decision::What::runs)
        return NotReady{name,
                        fmt::format("{}: {}", plan.label({stage, i}), prediction.of({stage, i}).reason)};
  }
  return {};
}

bool is_only_waited_for(const Workflow& workflow, const std::string& name) {
  return std::any_of(workflow.stages.begin(), workflow.stages.end(), [&](const Stage& stage) {
    return std::find(stage.order_only.begin(), stage.order_only.end(), name) != stage.order_only.end();
  });
}

Plan plan_of_only(const Workflow& whole, const std::vector<std::string>& wanted,
                  const std::filesystem::path& root) {
  Workflow workflow = whole;
  while (true) {
    workflow = with_what_they_need(workflow, wanted);
    Plan plan(workflow);
    const auto lacking = not_ready(plan, wanted, root);
    if (!lacking) return plan;
    if (!is_only_waited_for(workflow, lacking->stage))
      throw UsageError(fmt::format("--only {}: there is no result of '{}' that could be taken ({})",
                                   fmt::join(wanted, " --only "), lacking->stage, lacking->why),
                       fmt::format("--until {} runs what it needs, too", wanted.front()));
    workflow = without_order_after(workflow, lacking->stage);
  }
}

}  // namespace

void add_part_options(boost::program_options::options_description& options) {
  add_texts(options, "only", "STAGE",
            "that stage alone, with earlier results of what it needs; may be repeated");
  add_texts(options, "until", "STAGE", "that stage and what it needs, nothing else; may be repeated");
}

Plan plan_of_part(Workflow workflow, const Arguments& arguments, const std::filesystem::path& root) {
  const std::vector<std::string> only = arguments.texts("only"), until = arguments.texts("until");
  if (!only.empty() && !until.empty())
    throw UsageError("--only and --until exclude each other",
                     "--only takes earlier results of what a stage needs, --until runs it");
  check_names(workflow, only, "only");
  check_names(workflow, until, "until");
  if (!until.empty()) return Plan(with_what_they_need(workflow, until));
  if (only.empty()) return Plan(std::move(workflow));
  if (arguments.has("no-cache"))
    throw UsageError("--only takes what a stage needs from the cache, which --no-cache does not look at",
                     "--until runs what it needs, too");
  return plan_of_only(workflow, only, root);
}

}  // namespace kernmill::cli
