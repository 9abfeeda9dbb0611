#include "kernmill/cli/runs/cluster_question.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/timestamp.hpp"
#include "kernmill/cli/runs/cluster_run.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/run/cluster_check/cluster_capacity.hpp"
#include "kernmill/run/cluster_check/cluster_check.hpp"
#include "kernmill/run/submit/batch_job.hpp"
#include "kernmill/scheduler/cluster_loader.hpp"

namespace kernmill::cli {
namespace {

using Clock = std::chrono::system_clock;

std::string hours_text(double hours) {
  const std::string number = hours < 10 ? fmt::format("{:.2g}", hours) : fmt::format("{:.0f}", hours);
  return fmt::format("{} core-hour{}", number, number == "1" ? "" : "s");
}

/// What is wrong, without the lines that say what to do.
std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  if (line.ends_with(':')) line.resize(std::min(line.rfind(';'), line.size() - 1));
  return line;
}

}  // namespace

void add_question_option(boost::program_options::options_description& options) {
  add_text(options, "scheduler", "NAME",
           "slurm: check against the cluster, too; local or auto (the default): do not");
}

bool asks_cluster(const Arguments& arguments) {
  const std::string name = arguments.text("scheduler", "auto");
  if (name != "slurm" && name != "local" && name != "auto")
    throw UsageError(fmt::format("--scheduler takes local, slurm or auto, not '{}'", name));
  return name == "slurm";
}

ClusterAnswer ask_cluster(const Plan& plan, const RunDirectory& run) {
  ClusterAnswer answer;
  try {
    const auto cluster = open_slurm();
    answer.description = cluster->description();
    const ClusterFacts facts = cluster->facts();
    check_against(plan, facts, answer.findings);
    const Programs programs = find_programs();
    const SubmissionContext context{.run = run, .exec = programs.exec, .env = job_environment(programs)};
    const auto jobs = plan_jobs(plan, job_plan_options(plan, facts));
    answer.estimates = estimate(plan, jobs, facts, *cluster,
                                [&](const ArrayPlan& array) { return batch_job(context, plan, array, {}); });
  } catch (const ClusterError& error) {
    answer.silence = first_line(error.what());
  }
  return answer;
}

std::string estimate_text(const StageEstimate& estimate, Clock::time_point now) {
  std::string text = estimate.core_hours ? "at most " + hours_text(*estimate.core_hours)
                                         : "core-hours unknown: no time limit";
  if (estimate.start) {
    const auto wait = std::chrono::duration_cast<std::chrono::seconds>(*estimate.start - now);
    text += wait.count() <= 60
                ? ", would start now"
                : fmt::format(", would start at {} UTC (in {})", utc_text(*estimate.start, "%Y-%m-%d %H:%M"),
                              duration_text(wait));
  }
  if (!estimate.no_start.empty()) text += ", no expected start: " + first_line(estimate.no_start);
  return text + " (estimate)";
}

Json estimate_json(const StageEstimate& estimate) {
  Json json{
      {"is_estimate", true},
      {"core_hours_at_most", estimate.core_hours ? Json(*estimate.core_hours) : Json()},
      {"expected_start", estimate.start ? Json(utc_text(*estimate.start, "%Y-%m-%dT%H:%M:%SZ")) : Json()}};
  if (!estimate.no_start.empty()) json["no_expected_start"] = estimate.no_start;
  return json;
}

Json answer_json(const ClusterAnswer& answer) {
  if (!answer.silence.empty()) return {{"answered", false}, {"why", answer.silence}};
  const auto total = total_core_hours(answer.estimates);
  return {{"answered", true},
          {"cluster", answer.description},
          {"core_hours_at_most", total ? Json(*total) : Json()},
          {"findings", to_json(answer.findings)}};
}

std::string answer_text(const ClusterAnswer& answer) {
  if (!answer.silence.empty())
    return fmt::format("no estimates: {} (kernmill doctor says what to do)\n", answer.silence);
  const auto total = total_core_hours(answer.estimates);
  if (!total)
    return fmt::format("{}: core-hours unknown in all: a stage has no time limit\n", answer.description);
  return fmt::format("{}: at most {} in all (estimate: every instance takes its whole time limit once)\n",
                     answer.description, hours_text(*total));
}

}  // namespace kernmill::cli
