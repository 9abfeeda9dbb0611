#include "submit_world.hpp"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "kernmill/run/directory/run_directory.hpp"

namespace kernmill::testing {

namespace fs = std::filesystem;

SubmitWorld::SubmitWorld(const SlurmWorld::Options& options) : slurm_(options) {}

void SubmitWorld::workflow(const std::string& stages) const {
  std::ofstream(path() / "flow.yaml") << "name: flow\nstages:\n" << stages;
}

Finished SubmitWorld::kernmill(const std::vector<std::string>& words,
                               const std::vector<std::pair<std::string, std::string>>& environment) const {
  Invocation invocation{{KERNMILL}, path(), environment};
  invocation.argv.insert(invocation.argv.end(), words.begin(), words.end());
  invocation.environment.emplace_back("KERNMILL_SLURM_PLUGIN", KERNMILL_SLURM_PLUGIN_FILE);
  return run_program(invocation);
}

RunDirectory SubmitWorld::submit(const std::vector<std::string>& options) {
  std::vector<std::string> words{"submit", "flow.yaml"};
  words.insert(words.end(), options.begin(), options.end());
  const Finished finished = kernmill(words);
  EXPECT_EQ(finished.exit_code, 0) << finished.err;
  return run();
}

RunDirectory SubmitWorld::run() const {
  return select_run(path() / "runs", "last");
}

RunRecord SubmitWorld::record() const {
  return fold_journal(run().journal());
}

std::string SubmitWorld::outcome(std::chrono::seconds timeout) const {
  wait_until(
      "the end of the run", [this] { return !record().outcome.empty(); }, timeout);
  return record().outcome;
}

void SubmitWorld::wait_for_start(const std::string& stage, unsigned index, std::size_t attempts) const {
  wait_until("the start of " + stage, [&] {
    const RunRecord now = record();
    const InstanceRecord* known = now.find(stage, index);
    return known != nullptr && std::count_if(known->attempts.begin(), known->attempts.end(),
                                             [](const auto& one) { return one.started; }) >=
                                   static_cast<std::ptrdiff_t>(attempts);
  });
}

void SubmitWorld::wait_for_file(const std::string& name) const {
  wait_until("the file " + name, [&] { return fs::exists(path() / name); });
}

bool SubmitWorld::committed(const std::string& stage, unsigned index) const {
  const RunRecord now = record();
  const InstanceRecord* known = now.find(stage, index);
  return known != nullptr && known->committed;
}

std::string SubmitWorld::state(const std::string& label) const {
  const Finished status = kernmill({"status", "--json"});
  const Json json = Json::parse(status.out, nullptr, false);
  if (!json.is_object()) return status.err;
  for (const Json& instance : json.at("instances"))
    if (instance.at("label") == label) return instance.at("state");
  return "unknown";
}

std::string SubmitWorld::job_of(const std::string& stage) const {
  const RunRecord now = record();
  for (auto generation = now.generations.rbegin(); generation != now.generations.rend(); ++generation)
    for (const auto& [key, array] : generation->second.arrays)
      if (array.plan.at("stage") == stage) return array.job;
  return {};
}

std::string SubmitWorld::queue() const {
  return slurm_.run({"squeue", "-h", "-o", "%i %j %T %r"});
}

std::vector<std::string> SubmitWorld::lines(const std::string& file) const {
  std::ifstream stream(path() / file);
  std::vector<std::string> result;
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

}  // namespace kernmill::testing
