#include "kernmill/run/submit/batch_job.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/base/shell_word.hpp"
#include "kernmill/plan/notice.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/text/unicode.hpp"

namespace kernmill {
namespace {

using Options = BatchJob::Options;

/// How long before its end a job hears of it, in whole seconds. Its step waits for its own moment.
std::chrono::seconds notice(const Stage& stage, std::chrono::seconds time) {
  const auto most = runs_command(stage) ? most_notice_of_a_command : most_notice_of_a_task;
  return notice_of_end(time, stage.signal_lead, most) + handing_over;
}

std::string dependency(const ArrayPlan& array, const std::map<std::string, std::string>& job_of) {
  std::vector<std::string> parts;
  for (const auto& wait : array.waits)
    parts.push_back(fmt::format("{}:{}", to_string(wait.kind), job_of.at(wait.array)));
  for (const std::string& job : array.after_jobs) parts.push_back("afterany:" + job);
  return fmt::format("{}", fmt::join(parts, ","));
}

std::string script(const SubmissionContext& context, const std::string& what, const std::string& arguments) {
  return fmt::format("#!/bin/sh\n# Kernmill: {} of run {}\nexec {} --run {} {} --generation {}{}\n", what,
                     context.run.name(), quoted_for_shell(context.exec.string()),
                     quoted_for_shell(context.run.root().string()), arguments, context.generation,
                     context.no_cache ? " --no-cache" : "");
}

/// A path of which Slurm replaces nothing in the name of a log: there, %% is a %.
std::string literal_in_pattern(const std::string& path) {
  std::string text;
  for (const char c : path) text.append(c == '%' ? 2 : 1, c);
  return text;
}

Options common_options(const SubmissionContext& context, const Plan& plan, const std::string& stage,
                       const std::string& key) {
  const std::string log = literal_in_pattern((context.run.root() / "slurm" / key).string()) + "-%A.log";
  return {{"job-name", fmt::format("{}.{}", plan.workflow().name, stage)},
          {"comment", array_comment(context.run.name(), context.generation, key)},
          {"chdir", plan.workflow().base_directory},
          {"output", log},
          {"open-mode", "append"},
          {"requeue", ""}};
}

/// Whatever it comes from (a matrix, a folder's name), a line's end in an option would be a line of the
/// script.
void check_options(const Options& options) {
  for (const auto& [name, value] : options)
    if (has_control_character(name) || has_control_character(value))
      throw std::invalid_argument(fmt::format(
          "the option --{} of a job has a control character in it: \"{}\"; give it another value, "
          "or rename the folder that it names",
          printable_line(name), printable_line(value)));
}

}  // namespace

std::string comment_prefix(const std::string& run) {
  return fmt::format("kernmill:{}:", run);
}

std::string generation_token(const std::string& run, unsigned generation) {
  return fmt::format("{}{}", comment_prefix(run), generation);
}

std::string array_comment(const std::string& run, unsigned generation, const std::string& key) {
  return fmt::format("{}:{}", generation_token(run, generation), key);
}

std::optional<JobIdentity> identity_in(const std::string& comment) {
  std::istringstream parts(comment);
  std::string kernmill, generation;
  JobIdentity identity;
  if (!std::getline(parts, kernmill, ':') || kernmill != "kernmill") return {};
  if (!std::getline(parts, identity.run, ':') || !std::getline(parts, generation, ':')) return {};
  std::getline(parts, identity.key);
  const auto [end, error] =
      std::from_chars(generation.data(), generation.data() + generation.size(), identity.generation);
  if (error != std::errc{} || end != generation.data() + generation.size() || identity.key.empty()) return {};
  return identity;
}

BatchJob batch_job(const SubmissionContext& context, const Plan& plan, const ArrayPlan& array,
                   const std::map<std::string, std::string>& job_of) {
  const std::string& stage = plan.stage(array.stage).name;
  BatchJob job;
  job.script = script(context, "stage " + stage, "--array " + quoted_for_shell(array.key));
  job.env = context.env;
  if (context.handed_over)
    for (auto& variable : context.handed_over(plan.stage(array.stage)))
      job.env.push_back(std::move(variable));
  job.options = common_options(context, plan, stage, array.key);
  if (array.is_array)
    job.options.emplace_back("array",
                             array.element_indices().text() +
                                 (array.max_parallel > 0 ? fmt::format("%{}", array.max_parallel) : ""));
  if (const std::string waits = dependency(array, job_of); !waits.empty()) {
    job.options.emplace_back("dependency", waits);
    job.options.emplace_back("kill-on-invalid-dep", "yes");
  } else {
    job.options.emplace_back("hold", "");
  }
  if (array.resources.time.count() > 0)
    job.options.emplace_back(
        "signal", fmt::format("B:USR1@{}", notice(plan.stage(array.stage), array.resources.time).count()));
  for (auto& option : options_for(array.resources)) job.options.push_back(std::move(option));
  check_options(job.options);
  return job;
}

BatchJob small_job(const SubmissionContext& context, const Plan& plan, const std::string& what,
                   const std::string& name, const std::string& key, const std::string& arguments) {
  BatchJob job;
  job.script = script(context, what, arguments);
  job.env = context.env;
  job.options = common_options(context, plan, name, key);
  Resources small;  // of the first stage: where those may run, this one may
  const Resources first = plan.resources({0, 0});
  small.account = first.account;
  small.partition = first.partition;
  small.qos = first.qos;
  small.mem = 256ULL * 1024 * 1024;
  small.time = std::chrono::minutes(10);
  for (auto& option : options_for(small)) job.options.push_back(std::move(option));
  check_options(job.options);
  return job;
}

BatchJob closing_job(const SubmissionContext& context, const Plan& plan,
                     const std::vector<std::string>& jobs) {
  BatchJob job = small_job(context, plan, "the end", "end", closing_key, "--close");
  const auto& stages = plan.workflow().stages;
  if (std::any_of(stages.begin(), stages.end(), [](const Stage& s) { return !s.matrix.later.empty(); }))
    hand_on_environment(job, context, plan);
  if (!jobs.empty()) job.options.emplace_back("dependency", fmt::format("afterany:{}", fmt::join(jobs, ":")));
  if (const Workflow& workflow = plan.workflow(); !workflow.mail_to.empty()) {
    job.options.emplace_back("mail-user", workflow.mail_to);
    job.options.emplace_back("mail-type", workflow.mail_of_failure_only ? "FAIL" : "END,FAIL");
  }
  check_options(job.options);
  return job;
}

namespace {

/// A value as sbatch reads it from an #SBATCH line: it ends at a space and at a #, and quotes and backslashes
/// are taken away.
std::string quoted_for_sbatch(const std::string& value) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%&|*[]()!";
  if (value.find_first_not_of(plain) == std::string::npos) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

std::string to_script(const BatchJob& job) {
  check_options(job.options);
  const std::size_t first_line = job.script.find('\n') + 1;
  std::string text = job.script.substr(0, first_line);
  for (const auto& [name, value] : job.options)
    text += value.empty() ? fmt::format("#SBATCH --{}\n", name)
                          : fmt::format("#SBATCH --{}={}\n", name, quoted_for_sbatch(value));
  text += "#SBATCH --export=NONE\n";
  for (const auto& [name, value] : job.env)
    text += fmt::format("export {}={}\n", name, quoted_for_shell(value));
  return text + job.script.substr(first_line);
}

}  // namespace kernmill
