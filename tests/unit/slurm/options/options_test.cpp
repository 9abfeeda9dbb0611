#include "kernmill/slurm/options/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kernmill::slurm {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

JobRequest parsed(const BatchJob::Options& options) {
  ParsedOptions result = parse_options(options, 0);
  EXPECT_THAT(result.problems, IsEmpty());
  return result.request;
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

TEST(SlurmOptions, NoneHasALineEndInIt) {
  EXPECT_THAT(problems({{"partition", "p\ncommand"}, {"comment", "a\x7F"}}),
              ElementsAre("--partition has a control character in its value",
                          "--comment has a control character in its value"));
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
  EXPECT_EQ(parsed({{"partition", "a"}, {"partition", "b"}}).partition, "b");
  EXPECT_EQ(parsed({{"requeue", ""}, {"no-requeue", ""}}).requeue, Switch::off);
}

}  // namespace
}  // namespace kernmill::slurm
