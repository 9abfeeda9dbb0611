#include "batch_world.hpp"

#include <fstream>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/run/submit/generation.hpp"

namespace kernmill::testing {
namespace {

void journal_submission(const RunDirectory& run, const Plan& plan, const std::vector<ArrayPlan>& arrays,
                        unsigned generation, unsigned first_job, bool fail_fast) {
  JournalWriter writer(run.journal(), fmt::format("submit-{}", generation), 0, "submit");
  Json list = Json::array();
  for (const ArrayPlan& array : arrays) list.push_back(to_json(array, plan));
  writer.append({"submitting",
                 {{"generation", generation},
                  {"token", "t"},
                  {"fail_fast", fail_fast},
                  {"no_cache", true},
                  {"arrays", std::move(list)}}});
  for (std::size_t i = 0; i < arrays.size(); ++i)
    writer.append(
        {"array_submitted",
         {{"generation", generation}, {"array", arrays[i].key}, {"job", std::to_string(first_job + i)}}});
  writer.append({"accepted", {{"generation", generation}}});
}

}  // namespace

BatchWorld::BatchWorld(std::vector<Stage> stages, bool fail_fast)
    : ExecWorld(std::move(stages)),
      plan_(plan_from_json(Json::parse(read_file(run().plan())))),
      arrays_(plan_jobs(plan_, JobPlanOptions{})),
      cluster_(path() / "cluster") {
  std::filesystem::create_directory(cluster_);
  tell("state", "running");
  journal_submission(run(), plan_, arrays_, generation, first_job_, fail_fast);
}

void BatchWorld::submit_again(unsigned number, unsigned attempt, unsigned first_job) {
  generation = number;
  first_job_ = first_job;
  for (ArrayPlan& array : arrays_) array.attempt = attempt;
  journal_submission(run(), plan_, arrays_, generation, first_job_, false);
}

const ArrayPlan& BatchWorld::array(const std::string& stage) const {
  for (const ArrayPlan& array : arrays_)
    if (plan_.stage(array.stage).name == stage) return array;
  throw std::invalid_argument("no array carries out " + stage);
}

std::string BatchWorld::job(const std::string& stage) const {
  return std::to_string(first_job_ + static_cast<std::size_t>(&array(stage) - arrays_.data()));
}

int BatchWorld::spawn_exec(const std::vector<std::string>& arguments,
                           const std::vector<std::pair<std::string, std::string>>& variables) {
  SpawnOptions options;
  options.argv = before;
  options.argv.insert(options.argv.end(), {KERNMILL_EXEC_ON_FAKE_CLUSTER, "--run", run().root().string(),
                                           "--generation", std::to_string(generation)});
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.env = {{"PATH", FAKE_SRUN_FOLDER ":/usr/local/bin:/usr/bin:/bin"},
                 {"KERNMILL_TASK", FAKE_TASK},
                 {"KERNMILL_FILE_PATIENCE", "0"},
                 {"FAKE_CLUSTER", cluster_.string()},
                 {"PIPE", pipe().path()}};
  options.env.insert(options.env.end(), variables.begin(), variables.end());
  for (const auto& [name, value] : environment) {
    std::erase_if(options.env, [&name = name](const auto& other) { return other.first == name; });
    options.env.emplace_back(name, value);
  }
  options.out = options.err = (path() / "exec.log").string();
  return spawn(options);
}

int BatchWorld::start_job(const std::string& stage, std::uint32_t element, unsigned restart) {
  const ArrayPlan& plan = array(stage);
  std::vector<std::pair<std::string, std::string>> variables{
      {"SLURM_JOB_ID", plan.is_array ? "77" : job(stage)},
      {"SLURM_JOB_NUM_NODES", "1"},
      {"SLURMD_NODENAME", "n1"},
      {"SLURM_MEM_PER_NODE", "100"},
      {"SLURM_CPU_BIND", "quiet,mask_cpu:0x1"}};
  if (plan.is_array) {
    variables.emplace_back("SLURM_ARRAY_JOB_ID", job(stage));
    variables.emplace_back("SLURM_ARRAY_TASK_ID", std::to_string(element));
  }
  if (restart > 0) variables.emplace_back("SLURM_RESTART_COUNT", std::to_string(restart));
  return spawn_exec({"--array", plan.key, "--no-cache"}, variables);
}

int BatchWorld::run_job(const std::string& stage, std::uint32_t element, unsigned restart) {
  return reap(start_job(stage, element, restart));
}

int BatchWorld::close() {
  return reap(spawn_exec({"--close"}, {{"SLURM_JOB_ID", "99"}}));
}

std::vector<Record> BatchWorld::records(const std::string& stage, std::uint32_t element,
                                        unsigned restart) const {
  const std::string name = array(stage).is_array ? fmt::format("{}_{}", job(stage), element) : job(stage);
  return read_journal_file(run().journal() / fmt::format("{}.{}.{}.exec.jsonl",
                                                         journal_name(name, generation), restart,
                                                         host_name()));
}

std::vector<std::string> BatchWorld::events(const std::string& stage, std::uint32_t element,
                                            unsigned restart) const {
  std::vector<std::string> names;
  for (const Record& record : records(stage, element, restart)) names.push_back(record.event);
  return names;
}

Json BatchWorld::body(const std::string& event, const std::string& stage, std::uint32_t element,
                      unsigned restart) const {
  Json last;
  for (const Record& record : records(stage, element, restart))
    if (record.event == event) last = record.body;
  return last;
}

std::vector<std::string> BatchWorld::calls() const {
  std::vector<std::string> result;
  std::ifstream file(cluster_ / "calls");
  for (std::string line; std::getline(file, line);) result.push_back(line);
  return result;
}

void BatchWorld::tell(const std::string& file, const std::string& text) const {
  std::ofstream(cluster_ / file) << text;
}

std::string BatchWorld::log() const {
  return read_file(path() / "exec.log");
}

Stage over(Stage stage, int values) {
  Matrix::Axis axis{"x", {}};
  for (int v = 0; v < values; ++v) axis.values.emplace_back(v);
  stage.matrix.axes = {axis};
  return stage;
}

}  // namespace kernmill::testing
