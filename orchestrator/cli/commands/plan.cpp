#include <algorithm>

#include <fmt/format.h>

#include "kernmill/base/counted.hpp"
#include "kernmill/base/shell_word.hpp"
#include "kernmill/cli/arguments.hpp"
#include "kernmill/cli/runs/cluster_question.hpp"
#include "kernmill/cli/runs/load_workflow.hpp"
#include "kernmill/cli/runs/part_of_run.hpp"
#include "kernmill/cli/runs/programs.hpp"
#include "kernmill/cli/runs/run_root.hpp"
#include "kernmill/exec/attempt/shell.hpp"
#include "kernmill/exec/job/launcher.hpp"
#include "kernmill/plan/decisions.hpp"
#include "kernmill/report/quantity.hpp"
#include "kernmill/report/table.hpp"
#include "kernmill/run/cache/prediction.hpp"
#include "kernmill/workflow/command_stage.hpp"
#include "kernmill/workflow/value/units.hpp"

namespace kernmill::cli {
namespace {

constexpr std::uint32_t sample = 3;

/// What is to be shown of a plan: the plan, and what the cache says of it.
struct Preview {
  const Plan& plan;
  const CachePrediction& prediction;
  const Programs& programs;
  const RunDirectory& run;  ///< a name that stands for the run to come
  const Paint& paint;
  bool all;
  const std::optional<ClusterAnswer>& cluster;

  [[nodiscard]] std::uint32_t shown(std::uint32_t stage) const {
    const std::uint32_t count = plan.instance_count(stage);
    return all || count <= 2 * sample ? count : sample;
  }
  /// What the cluster thinks of a stage; null when it was not asked, or does not answer.
  [[nodiscard]] const StageEstimate* estimate(std::uint32_t stage) const {
    return cluster && !cluster->estimates.empty() ? &cluster->estimates[stage] : nullptr;
  }
};

std::string resources_text(const Resources& resources) {
  std::string text = counted(resources.ntasks, "rank");
  if (resources.cpus_per_task > 1) text += fmt::format(" x {} cores", resources.cpus_per_task);
  if (resources.mem > 0) text += ", " + bytes_text(resources.mem);
  if (resources.mem_per_cpu > 0) text += ", " + bytes_text(resources.mem_per_cpu) + " a core";
  for (const std::string& gpus : {resources.gpus, resources.gpus_per_node, resources.gpus_per_task})
    if (!gpus.empty()) text += ", gpus " + gpus;
  if (resources.time.count() > 0) text += ", at most " + duration_text(resources.time);
  return text;
}

std::string parents_text(const Plan& plan, std::uint32_t stage) {
  std::string text;
  for (const Edge& edge : plan.parents(stage))
    text += (text.empty() ? "" : ", ") + plan.stage(edge.stage).name;
  return text;
}

std::string decision_text(const Paint& paint, const Decision& decision) {
  const std::string text = to_string(decision);
  const std::size_t colon = text.find(':');
  const Color color = decision.what == Decision::What::cached    ? Color::blue
                      : decision.what == Decision::What::skipped ? Color::dim
                                                                 : Color::green;
  return paint(color, text.substr(0, colon)) + text.substr(colon);
}

/// What the first attempt of an instance will execute; empty for a reduce, which kernmill-exec does itself.
std::vector<std::string> command_line(const Preview& preview, InstanceId id) {
  if (preview.plan.is_reduce(id)) return {};
  const exec::Attempt attempt{preview.run, preview.plan, id, 1, false, CommitTable(preview.plan)};
  if (runs_command(attempt.stage())) return exec::command_words(attempt);
  const std::string launcher = environment("KERNMILL_LAUNCHER_TEMPLATE", "mpiexec -n {ntasks}");
  std::vector<std::string> words = exec::launch_words(launcher, preview.plan.resources(id));
  words.insert(words.end(), {preview.programs.task.string(), std::string(to_string(attempt.stage().kind)),
                             "--spec", attempt.file("spec.json").string()});
  return exec::with_setup(attempt.stage(), words);
}

/// The command line of an instance, continued lines indented.
void show_command(const Preview& preview, InstanceId id) {
  std::string text;
  for (const std::string& word : command_line(preview, id))
    text += (text.empty() ? "$ " : " ") + word_for_shell(word);
  if (text.empty()) return;
  std::string indented;
  for (const char c : text) indented += c == '\n' ? std::string("\n        ") : std::string(1, c);
  fmt::print("      {}\n", preview.paint(Color::dim, indented));
}

/// The lines of a stage's instances: what will happen to each, and what will be executed.
void show_instances(const Preview& preview, std::uint32_t stage) {
  const Plan& plan = preview.plan;
  const std::uint32_t shown = preview.shown(stage);
  for (std::uint32_t index = 0; index < shown; ++index) {
    const InstanceId id{stage, index};
    const std::string values = values_text(plan.written_values(id));
    fmt::print("    {}{}  {}\n", plan.label(id),
               values.empty() ? "" : "  " + preview.paint(Color::dim, values),
               decision_text(preview.paint, preview.prediction.of(id)));
    if (preview.prediction.of(id).what == Decision::What::runs) show_command(preview, id);
  }
  if (shown < plan.instance_count(stage))
    fmt::print("    ... and {} more (--all shows them)\n", plan.instance_count(stage) - shown);
}

std::string pack_text(int pack) {
  if (pack > 1) return fmt::format("packed, {} to a job", pack);
  return "packed, as many to a job as seem good (pack: 1 makes each a job of its own)";
}

void show_stage(const Preview& preview, std::uint32_t number) {
  const Plan& plan = preview.plan;
  const Stage& stage = plan.stage(number);
  const std::uint32_t count = plan.instance_count(number);
  fmt::print("\n  {}  {}, {}{}\n", preview.paint(Color::bold, stage.name), to_string(stage.kind),
             plan.undecided(number) ? "instances " + decided_by(stage.matrix) : counted(count, "instance"),
             count == 0 ? "" : ", " + resources_text(plan.resources({number, 0})));
  if (!plan.parents(number).empty()) fmt::print("    after {}\n", parents_text(plan, number));
  if (!stage.when.empty()) fmt::print("    when {}\n", stage.when);
  if (stage.pack != 1 && count > 1) fmt::print("    {}\n", pack_text(stage.pack));
  if (stage.stall.count() > 0)
    fmt::print("    stalled after {} without a sign of life\n", spell_time(stage.stall));
  if (const StageEstimate* estimate = preview.estimate(number))
    fmt::print("    {}\n", estimate_text(*estimate, std::chrono::system_clock::now()));
  show_instances(preview, number);
}

void show_text(const Preview& preview) {
  const Plan& plan = preview.plan;
  std::uint64_t cached = 0;
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage)
    cached += preview.prediction.count(stage, Decision::What::cached);
  fmt::print("{}: {}, {}{}, {} of them cached\n", preview.paint(Color::bold, plan.workflow().name),
             counted(plan.stage_count(), "stage"), counted(plan.total_instances(), "instance"),
             plan.all_decided() ? "" : " and more", cached);
  if (preview.cluster) fmt::print("{}", answer_text(*preview.cluster));
  for (std::uint32_t stage = 0; stage < plan.stage_count(); ++stage) show_stage(preview, stage);
}

std::string_view word(Decision::What what) {
  switch (what) {
    case Decision::What::runs:
      return "runs";
    case Decision::What::cached:
      return "cached";
    case Decision::What::skipped:
      return "skipped";
  }
  return "";
}

Json instance_json(const Preview& preview, InstanceId id) {
  const Decision& decision = preview.prediction.of(id);
  return {{"label", preview.plan.label(id)},
          {"matrix", preview.plan.values(id)},
          {"decision", word(decision.what)},
          {"reason", decision.reason},
          {"command", command_line(preview, id)}};
}

Json stage_json(const Preview& preview, std::uint32_t number) {
  const Plan& plan = preview.plan;
  const Stage& stage = plan.stage(number);
  Json parents = Json::array(), instances = Json::array();
  for (const Edge& edge : plan.parents(number)) parents.push_back(plan.stage(edge.stage).name);
  for (std::uint32_t index = 0; index < preview.shown(number); ++index)
    instances.push_back(instance_json(preview, {number, index}));
  Json json{{"name", stage.name},
            {"kind", to_string(stage.kind)},
            {"after", std::move(parents)},
            {"when", stage.when},
            {"instance_count", plan.instance_count(number)},
            {"cached", preview.prediction.count(number, Decision::What::cached)},
            {"resources", stage.resources},
            {"pack", stage.pack == 0 ? Json("auto") : Json(stage.pack)},
            {"instances", std::move(instances)}};
  if (plan.undecided(number)) {
    json["instance_count"] = nullptr;
    json["decided_by"] = deciding_stages(stage.matrix);
  }
  if (stage.stall.count() > 0) json["stall_seconds"] = stage.stall.count();
  if (const StageEstimate* estimate = preview.estimate(number)) json["estimate"] = estimate_json(*estimate);
  return json;
}

void show_json(const Preview& preview) {
  Json stages = Json::array();
  for (std::uint32_t stage = 0; stage < preview.plan.stage_count(); ++stage)
    stages.push_back(stage_json(preview, stage));
  Json json{{"schema_version", 1},
            {"workflow", preview.plan.workflow().name},
            {"instances", preview.plan.total_instances()},
            {"stages", std::move(stages)}};
  if (preview.cluster) json["cluster"] = answer_json(*preview.cluster);
  fmt::print("{}\n", json.dump(2));
}

int plan(const Command& self, const std::vector<std::string>& words, const Hooks&) {
  boost::program_options::options_description options;
  add_workflow_options(options);
  add_part_options(options);
  add_runs_option(options);
  add_flag(options, "all,a", "show every instance; without it, only a few of a large stage");
  add_flag(options, "no-cache", "plan for kernmill run --no-cache");
  add_question_option(options);
  Arguments arguments(self, options, {"workflow"});
  if (!arguments.parse(words)) return exit_done;
  const bool ask = asks_cluster(arguments);
  auto workflow = load_workflow(arguments, arguments.required("workflow"));
  if (!workflow) return exit_usage;

  const auto root = new_run_root(arguments, workflow->base_directory);
  const Plan made = plan_of_part(std::move(*workflow), arguments, root);
  DigestStore digests(root);
  Cache cache(root, digests);
  const Programs programs = find_programs();
  const CachePrediction prediction =
      predict(made, cache, digests, digests_of(programs, digests), {.no_cache = arguments.has("no-cache")});
  const Paint paint = arguments.out_paint();
  const RunDirectory run(root / "<run>");
  const auto cluster = ask ? std::optional(ask_cluster(made, run)) : std::nullopt;
  if (cluster) fmt::print(stderr, "{}", render(cluster->findings, arguments.err_paint().on()));
  const Preview preview{made, prediction, programs, run, paint, arguments.has("all"), cluster};
  if (arguments.json())
    show_json(preview);
  else
    show_text(preview);
  return cluster && cluster->findings.has_errors() ? exit_usage : exit_done;
}

}  // namespace

const Command plan_command{
    "plan", "what would run, what it asks for, and why", "WORKFLOW [options]",
    "  kernmill plan iris_svm.yaml\n"
    "  kernmill plan iris_svm.yaml --set seed=1 --all\n"
    "  kernmill plan iris_svm.yaml --scheduler slurm   with core-hours and expected starts\n"
    "  kernmill plan iris_svm.yaml --json\n",
    plan};

}  // namespace kernmill::cli
