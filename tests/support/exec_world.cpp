#include "exec_world.hpp"

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"

namespace kernmill::testing {
namespace {

RunDirectory make_run(const std::filesystem::path& place, std::vector<Stage> stages) {
  Workflow workflow;
  workflow.name = "test";
  workflow.base_directory = place.string();
  workflow.stages = std::move(stages);
  RunDirectory run = create_run_directory(place / "runs", "test", false);
  write_file_durably(run.plan(), to_json(Plan(std::move(workflow))).dump());
  return run;
}

}  // namespace

// Stages that name $PIPE do so by the environment; those of fake_task by this place-holder.
ExecWorld::ExecWorld(std::vector<Stage> stages)
    : pipe_(directory_.path() / "pipe"), run_([&] {
        for (Stage& stage : stages)
          for (auto& [key, value] : stage.config.items())
            if (value == "PIPE") value = pipe_.path();
        return make_run(directory_.path(), std::move(stages));
      }()) {}

ExecWorld::~ExecWorld() {
  for (const auto& file : std::filesystem::directory_iterator(run_.journal()))
    for (const Record& record : read_journal_file(file.path()))
      if (record.body.contains("attempt"))
        end_tree(0, 0, token(record.body["stage"], record.body["instance"], record.body["attempt"]));
}

Stage ExecWorld::task(const std::string& name, Json config, std::vector<std::string> needs) {
  Stage stage;
  stage.name = name;
  stage.kind = TaskKind::train;
  if (!config.is_null()) stage.config = std::move(config);
  stage.needs = std::move(needs);
  return stage;
}

Stage ExecWorld::command(const std::string& name, const std::string& run, Json more) {
  Stage stage;
  stage.name = name;
  stage.kind = TaskKind::command;
  stage.config = {{"run", run}};
  stage.config.update(more);
  return stage;
}

void ExecWorld::commit(const std::string& stage, unsigned index, Json metrics,
                       const std::vector<Artifact>& artifacts) {
  const Json who = {{"stage", stage}, {"instance", index}, {"attempt", 1}};
  JournalWriter writer(run_.journal(), fmt::format("earlier.{}.{}", stage, index), 0, "exec");
  Record started{"started", who}, committed{"committed", who};
  started.body.update({{"pid", 1}, {"start_time", 1}, {"host", "elsewhere"}});
  committed.body["metrics"] = metrics.is_null() ? Json::object() : std::move(metrics);
  committed.body["artifacts"] = Json::array();
  for (const Artifact& artifact : artifacts) committed.body["artifacts"].push_back(to_json(artifact));
  writer.append(started);
  writer.append(committed);
}

std::string ExecWorld::token(const std::string& stage, unsigned index, unsigned attempt) const {
  return fmt::format("{}/{}/{}/{}", run_.name(), stage, index, attempt);
}

int ExecWorld::start(const std::string& stage, unsigned index, unsigned attempt,
                     const std::vector<std::string>& more) {
  SpawnOptions options;
  options.argv = {KERNMILL_EXEC,
                  "--run",
                  run_.root().string(),
                  "--stage",
                  stage,
                  "--instance",
                  std::to_string(index),
                  "--attempt",
                  std::to_string(attempt),
                  "--job",
                  fmt::format("{}.{}.{}", stage, index, attempt)};
  options.argv.insert(options.argv.end(), more.begin(), more.end());
  options.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                 {"KERNMILL_TASK", FAKE_TASK},
                 {"KERNMILL_TOKEN", token(stage, index, attempt)},
                 {"PIPE", pipe_.path()},
                 {"PMI_RANK", "3"},
                 {"SLURM_JOB_ID", "17"}};
  if (!use_mpi) options.env.emplace_back("KERNMILL_LAUNCHER_TEMPLATE", "env");
  options.out = options.err = (directory_.path() / "exec.log").string();
  return spawn(options);
}

int ExecWorld::carry_out(const std::string& stage, unsigned index, unsigned attempt,
                         const std::vector<std::string>& more) {
  return reap(start(stage, index, attempt, more));
}

Record ExecWorld::last_record(const std::string& stage, unsigned index, unsigned attempt) const {
  return read_journal_file(run_.journal() /
                           fmt::format("{}.{}.{}.0.{}.exec.jsonl", stage, index, attempt, host_name()))
      .back();
}

std::string ExecWorld::message(const std::string& stage) const {
  return last_record(stage).body.value("message", "no message");
}

}  // namespace kernmill::testing
