#include "kernmill/exec/attempt/attempt.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/exec/attempt/parents.hpp"
#include "kernmill/workflow/expression/expression.hpp"

namespace kernmill::exec {
namespace {

std::string first_unknown(const Json& value, const Lookup& lookup) {
  if (value.is_structured()) {
    for (const Json& part : value)
      if (auto name = first_unknown(part, lookup); !name.empty()) return name;
  } else if (value.is_string() && has_template(value.get_ref<const std::string&>())) {
    for (const NamePath& name : names_in(value.get_ref<const std::string&>()))
      if (!lookup(name)) return fmt::format("{}", fmt::join(name, "."));
  }
  return {};
}

}  // namespace

Attempt make_attempt(const RunDirectory& run, const Plan& plan, const AttemptName& name,
                     const RunRecord& record) {
  if (plan.workflow().find(name.stage) == nullptr)
    throw AttemptError(fmt::format("the plan in {} has no stage '{}'", run.plan().string(), name.stage));
  const InstanceId id{plan.stage_number(name.stage), name.instance};
  if (id.index >= plan.instance_count(id.stage))
    throw AttemptError(fmt::format("the stage '{}' has {}, and none with the number {}", name.stage,
                                   counted(plan.instance_count(id.stage), "instance"), id.index));
  Attempt attempt{run, plan, id, name.number, false, commits_in(plan, record)};
  if (const auto* own = record.find(name.stage, name.instance))
    for (const auto& other : own->attempts)
      attempt.earlier_attempt_started |= other.started && other.number < name.number;
  check_fence(attempt, record);
  return attempt;
}

StallOptions stall_options(const Attempt& attempt) {
  StallOptions options;
  options.after = attempt.stage().stall;
  options.traces = {attempt.directory(), attempt.checkpoints()};
  options.stacks = attempt.file(stacks_file);
  return options;
}

std::optional<unsigned> newer_attempt(const RunRecord& record, const AttemptName& name) {
  const auto* own = record.find(name.stage, name.instance);
  if (own != nullptr)
    for (const auto& other : own->attempts)
      if (other.started && other.number > name.number) return other.number;
  return {};
}

void check_fence(const Attempt& attempt, const RunRecord& record) {
  if (const auto newer = newer_attempt(record, {attempt.stage().name, attempt.id.index, attempt.number}))
    throw AttemptError(fmt::format("attempt {} of {} has started, so attempt {} stops here", *newer,
                                   attempt.plan.label(attempt.id), attempt.number));
}

void check_parents(const Attempt& attempt, const RunRecord& record) {
  if (standing(attempt.plan, attempt.id, record) != Standing::may_run)
    throw AttemptError(why_unsettled(attempt.plan, attempt.id, record));
}

std::vector<Artifact> input_artifacts(const Attempt& attempt, const Input& input) {
  const auto id = attempt.plan.referred(attempt.id, attempt.plan.stage_number(input.stage));
  const auto result = id ? attempt.commits.result(*id) : std::nullopt;
  if (result)
    if (auto artifacts = artifacts_named(*result, input.artifact); !artifacts.empty()) return artifacts;
  throw AttemptError(
      fmt::format("'{}' needs {}.{}, which that stage has not left", input.key, input.stage, input.artifact));
}

std::string input_path(const Attempt& attempt, const Input& input) {
  return input.stage.empty() ? input.path : input_artifacts(attempt, input).front().path;
}

Json resolve(const Attempt& attempt, const Json& templates) {
  const Lookup lookup = attempt.commits.lookup(attempt.id);
  try {
    Json value = evaluate_all(templates, lookup);
    if (const auto name = first_unknown(value, lookup); !name.empty())
      throw AttemptError(
          fmt::format("nothing is known of {}: that stage has left no such metric or artifact", name));
    return value;
  } catch (const ExpressionError& error) {
    throw AttemptError(error.message);
  }
}

}  // namespace kernmill::exec
