#include "options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "job_environment.hpp"
#include "tres.hpp"

namespace kernmill::slurm {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

JobRequest settled(const BatchJob::Options& options, const Dialect& dialect = {}) {
  ParsedOptions parsed = parse_options(options, 0);
  EXPECT_THAT(parsed.problems, IsEmpty());
  settle(parsed.request, dialect);
  return parsed.request;
}

std::vector<std::string> problems(const BatchJob::Options& options) {
  return parse_options(options, 0).problems;
}

TEST(SlurmOptions, AnUnknownOneIsAnsweredWithWhatIsKnown) {
  EXPECT_THAT(problems({{"partitoin", "main"}}),
              ElementsAre(AllOf(HasSubstr("unknown option --partitoin"),
                                HasSubstr("did you mean --partition?"), HasSubstr("known: account, "))));
  EXPECT_THAT(problems({{"xyzzyxyzzy", ""}}), ElementsAre(Not(HasSubstr("did you mean"))));
}

TEST(SlurmOptions, EachMistakeIsALineOfItsOwn) {
  EXPECT_THAT(problems({{"mem", "lots"}, {"time", ""}, {"hold", "yes"}, {"nodes", "2-8"}}),
              ElementsAre(HasSubstr("--mem=lots"), HasSubstr("--time needs a value"),
                          HasSubstr("--hold takes no value")));
}

TEST(SlurmOptions, ThoseThatExcludeOneAnotherAreNotTakenTogether) {
  EXPECT_THAT(problems({{"mem", "1G"}, {"mem-per-cpu", "1G"}}),
              ElementsAre(HasSubstr("exclude one another")));
  EXPECT_THAT(problems({{"distribution", "arbitrary"}}), ElementsAre(HasSubstr("needs --nodelist")));
}

TEST(SlurmOptions, EveryOneOfThemThatTakesAValueIsKnownByItsName) {
  for (const char* name : {"job-name",
                           "comment",
                           "array",
                           "dependency",
                           "hold",
                           "output",
                           "error",
                           "open-mode",
                           "signal",
                           "requeue",
                           "no-requeue",
                           "kill-on-invalid-dep",
                           "nodes",
                           "ntasks",
                           "ntasks-per-node",
                           "cpus-per-task",
                           "gpus",
                           "gpus-per-node",
                           "gpus-per-task",
                           "mem",
                           "mem-per-cpu",
                           "time",
                           "time-min",
                           "account",
                           "partition",
                           "qos",
                           "reservation",
                           "constraint",
                           "exclude",
                           "nodelist",
                           "gres",
                           "licenses",
                           "mail-type",
                           "mail-user",
                           "begin",
                           "deadline",
                           "nice",
                           "priority",
                           "exclusive",
                           "oversubscribe",
                           "contiguous",
                           "hint",
                           "tmp",
                           "wckey",
                           "switches",
                           "cpus-per-gpu",
                           "mem-per-gpu",
                           "gpu-bind",
                           "distribution",
                           "core-spec",
                           "thread-spec",
                           "container",
                           "chdir",
                           "profile",
                           "reboot",
                           "spread-job",
                           "use-min-nodes",
                           "delay-boot",
                           "threads-per-core",
                           "sockets-per-node",
                           "cores-per-socket",
                           "prefer",
                           "tres-bind"}) {
    EXPECT_THAT(known_options(), Contains(name));
  }
}

TEST(SlurmOptions, ALaterOneOverridesAnEarlierOne) {
  EXPECT_EQ(settled({{"partition", "a"}, {"partition", "b"}}).partition, "b");
  EXPECT_EQ(settled({{"requeue", ""}, {"no-requeue", ""}}).requeue, Switch::off);
}

TEST(SlurmOptions, TasksAndNodesAreWorkedOutAsSbatchDoes) {
  EXPECT_EQ(settled({{"ntasks", "8"}, {"cpus-per-task", "4"}}).min_cpus, 32U);
  EXPECT_EQ(settled({{"nodes", "3"}}).min_cpus, 3U);
  EXPECT_EQ(settled({{"nodes", "3"}}).ntasks, std::nullopt);
  EXPECT_EQ(settled({{"nodes", "2-8"}, {"ntasks", "4"}}).nodes_max, 4U);
  EXPECT_EQ(settled({{"nodes", "3"}, {"ntasks", "2"}}).nodes_min, 2U);
  EXPECT_EQ(settled({{"nodelist", "n[1-3]"}}).nodes_min, 3U);
  EXPECT_EQ(settled({{"nodes", "2"}, {"ntasks-per-node", "3"}}).ntasks, 6U);
}

TEST(SlurmOptions, NewerReleasesWorkOutNodesFromTasks) {
  const Dialect newer{.slash_tres = true, .nodes_from_tasks = true};
  EXPECT_EQ(settled({{"ntasks", "5"}, {"ntasks-per-node", "2"}}, newer).nodes_min, 3U);
  const JobRequest request = settled({{"nodes", "2"}, {"ntasks-per-node", "3"}}, newer);
  EXPECT_EQ(request.ntasks, std::nullopt);
  EXPECT_EQ(request.min_cpus, 6U);
}

TEST(SlurmOptions, DevicesAreWrittenAsTheReleaseWantsThem) {
  const JobRequest request = settled({{"gpus-per-task", "a100:2"}, {"cpus-per-task", "4"}});
  EXPECT_EQ(tres_per_task(request, Dialect{}), "gres:gpu:a100:2");
  EXPECT_EQ(tres_bind(request, Dialect{}), "");
  const Dialect newest{.slash_tres = true, .nodes_from_tasks = true, .counts_per_task = true};
  EXPECT_EQ(tres_per_task(request, newest), "cpu=4,gres/gpu:a100=2");
  EXPECT_EQ(tres_bind(request, newest), "gres/gpu:per_task:2");
  EXPECT_EQ(with_prefix("gres:", "gpu:2,gres:nic:1"), "gres:gpu:2,gres:nic:1");
}

TEST(SlurmOptions, TheEnvironmentHasWhatSbatchWouldAdd) {
  const Submitter submitter{
      .folder = "/w", .host = "login", .umask = 027, .niceness = 0, .limits = {{"CORE", 7}}};
  const auto variables = job_environment(
      settled(
          {{"job-name", "iris.fit"}, {"ntasks", "4"}, {"cpus-per-task", "2"}, {"gpus-per-task", "a100:1"}}),
      Dialect{}, submitter);
  EXPECT_THAT(variables, Contains(Pair("SLURM_JOB_NAME", "iris.fit")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_SUBMIT_DIR", "/w")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_UMASK", "0027")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_RLIMIT_CORE", "7")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_NTASKS", "4")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_CPUS_PER_TASK", "2")));
  EXPECT_THAT(variables, Contains(Pair("SLURM_GPUS_PER_TASK", "a100:1")));
  EXPECT_THAT(variables, Not(Contains(Pair("SLURM_NTASKS_PER_NODE", ::testing::_))));
}

}  // namespace
}  // namespace kernmill::slurm
