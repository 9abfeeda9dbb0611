#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "slurm_world.hpp"

namespace kernmill::testing {
namespace {

using Options = BatchJob::Options;

/// What `scontrol show job` says, without what differs between any two jobs.
std::map<std::string, std::string> shown(const SlurmWorld& world, const std::string& job) {
  std::map<std::string, std::string> fields;
  std::istringstream words(world.run({"scontrol", "show", "job", "-o", job}));
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) fields[word.substr(0, equals)] = word.substr(equals + 1);
  }
  for (const char* differs :
       {"JobId", "ArrayJobId", "SubmitTime", "EligibleTime", "LastSchedEval", "Command", "StdErr", "StdOut",
        "AccrueTime", "AllocNode:Sid", "StartTime", "SubmitLine", "Priority", "Deadline", "EndTime"}) {
    fields.erase(differs);
  }
  return fields;
}

/// The fields in which two jobs differ, "name: of one | of the other" a line.
std::string difference(std::map<std::string, std::string> one, std::map<std::string, std::string> other) {
  std::string lines;
  for (const auto& [name, value] : one) {
    if (other[name] != value) lines += name + ": " + value + " | " + other[name] + "\n";
    other.erase(name);
  }
  for (const auto& [name, value] : other) lines += name + ": | " + value + "\n";
  return lines;
}

std::string by_sbatch(const SlurmWorld& world, const Options& options, const std::string& script) {
  const auto file = world.path() / "job.sh";
  std::ofstream(file) << script;
  std::vector<std::string> argv{"sbatch", "--parsable", "--hold"};
  for (const auto& [name, value] : options) argv.push_back("--" + name + (value.empty() ? "" : "=" + value));
  argv.push_back(file);
  std::string id = world.run(argv);
  id.resize(id.find_first_of("\n;"));
  return id;
}

BatchJob job_of(const Options& options, const std::string& script) {
  BatchJob job{.script = script, .env = {{"PATH", "/usr/bin:/bin"}}, .options = options};
  job.options.emplace_back("hold", "");
  return job;
}

/// Options, and a name for the test.
struct Case {
  const char* name;
  Options options;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"Plain", {}},
      {"Tasks", {{"ntasks", "4"}, {"cpus-per-task", "2"}, {"mem-per-cpu", "100M"}, {"time", "1:30:00"}}},
      {"NodeRange", {{"nodes", "2-4"}, {"mem", "1G"}, {"exclude", "n3"}, {"time-min", "5"}, {"time", "10"}}},
      {"NodeRangeWithTasks", {{"nodes", "2-4"}, {"ntasks", "3"}, {"mem", "200"}}},
      {"TasksPerNode", {{"nodes", "2"}, {"ntasks-per-node", "2"}, {"mem", "500M"}}},
      {"TasksAndTasksPerNode", {{"ntasks", "4"}, {"ntasks-per-node", "2"}, {"mem", "500M"}}},
      {"Array", {{"array", "0-9%2"}, {"job-name", "iris.fit"}, {"comment", "kernmill:x:1"}}},
      {"SparseArray", {{"array", "1,3,5-20:5"}}},
      {"Signal", {{"signal", "B:USR1@60"}, {"requeue", ""}, {"open-mode", "append"}}},
      {"NoRequeue", {{"no-requeue", ""}, {"kill-on-invalid-dep", "yes"}, {"nice", "50"}}},
      {"NodeList", {{"nodelist", "n[1,3]"}, {"distribution", "cyclic:block"}}},
      {"Feature", {{"constraint", "fast"}, {"partition", "short"}, {"licenses", "solver:2"}}},
      {"Exclusive", {{"exclusive", ""}, {"contiguous", ""}, {"switches", "1@10"}}},
      {"User", {{"exclusive", "user"}, {"overcommit", ""}, {"ntasks", "8"}}},
      {"Hint", {{"hint", "nomultithread"}, {"ntasks", "2"}}},
      {"Multithread", {{"hint", "multithread"}, {"ntasks", "2"}}},
      {"Layout",
       {{"nodes", "1"}, {"sockets-per-node", "2"}, {"cores-per-socket", "1"}, {"threads-per-core", "1"}}},
      {"Gres", {{"gres", "gpu:1"}, {"mem", "100M"}}},
      {"Gpus", {{"gpus", "2"}, {"cpus-per-gpu", "1"}, {"mem-per-gpu", "100M"}}},
      {"GpusPerNode", {{"nodes", "1"}, {"gpus-per-node", "2"}, {"gpu-bind", "closest"}}},
      {"GpusPerTask", {{"ntasks", "2"}, {"gpus-per-task", "1"}}},
      {"Mail", {{"mail-type", "END,FAIL,TIME_LIMIT_80"}, {"mail-user", "nobody"}}},
      {"Later", {{"begin", "2040-01-20T12:34:00"}, {"deadline", "2041-01-20"}, {"delay-boot", "10"}}},
      {"Spread", {{"spread-job", ""}, {"nodes", "2"}, {"tmp", "10"}, {"wckey", "some"}, {"profile", "none"}}},
      {"Dependency", {{"dependency", "singleton"}, {"job-name", "one"}, {"use-min-nodes", ""}}},
  };
  return all;
}

TEST(SlurmSameJob, EverySetOfOptionsGivesTheJobThatSbatchMakes) {
  KERNMILL_NEEDS_SLURM();
  const SlurmWorld world;
  std::filesystem::current_path(world.path());
  const auto cluster = SlurmWorld::open();
  const std::string script = "#!/bin/sh\nexit 0\n";
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    Options options = one.options;
    if (options.empty() || options[0].first != "job-name") options.emplace_back("job-name", "same");
    const std::string theirs = by_sbatch(world, options, script);
    const std::string ours = cluster->submit(job_of(options, script));
    const auto fields = shown(world, ours);
    EXPECT_GT(fields.size(), 30U) << "scontrol prints something else than it did";
    EXPECT_EQ(difference(fields, shown(world, theirs)), "");
    world.run({"scancel", ours, theirs});
  }
}

TEST(SlurmSameJob, TheEnvironmentOfAJobHasTheVariablesOfSlurmThatSbatchGives) {
  KERNMILL_NEEDS_SLURM();
  const SlurmWorld world;
  std::filesystem::current_path(world.path());
  const auto cluster = SlurmWorld::open();
  const Options options{{"job-name", "same"}, {"ntasks", "2"},           {"cpus-per-task", "2"},
                        {"mem", "100M"},      {"open-mode", "truncate"}, {"distribution", "cyclic"}};
  const auto script_for = [&](const std::string& name) {
    return "#!/bin/sh\nenv | grep ^SLURM_ | sed 's/=.*//' | sort > " + (world.path() / name).string() +
           ".tmp\nulimit -c > " + (world.path() / name).string() + ".core\nmv " +
           (world.path() / name).string() + ".tmp " + (world.path() / name).string() + "\n";
  };
  world.run({"scontrol", "release", by_sbatch(world, options, script_for("theirs"))});
  cluster->release(cluster->submit(job_of(options, script_for("ours"))));
  for (const char* name : {"ours", "theirs"}) {
    wait_until(name, [&] { return std::filesystem::exists(world.path() / name); });
  }
  EXPECT_EQ(world.run({"cat", "ours"}), world.run({"cat", "theirs"}));
  EXPECT_EQ(world.run({"cat", "ours.core"}), world.run({"cat", "theirs.core"}));
}

}  // namespace
}  // namespace kernmill::testing
