#include "kernmill/run/submit/batch_job.hpp"

#include <gmock/gmock.h>

#include "conductor_world.hpp"
#include "fake_cluster.hpp"

namespace kernmill {
namespace {

using testing::command_stage;
using testing::option_of;
using testing::plan_of_stages;
using testing::with_instances;

SubmissionContext context() {
  return {.run = RunDirectory("/home/ann/runs/it's-20261121-000000-0000"),
          .generation = 2,
          .exec = "/opt/kernmill/bin/kernmill-exec",
          .env = {{"PATH", "/bin"}, {"NOTE", "it's"}}};
}

Stage thrifty(Stage stage) {
  stage.resources = {
      {"ntasks", 2}, {"mem", "1500M"}, {"time", "90s"}, {"slurm_extra", {"--nice=5 --exclusive"}}};
  return stage;
}

TEST(BatchJob, HandsOverToAStageWhatItAsksForAndToNobodyElse) {
  const Plan plan = plan_of_stages({command_stage("a"), command_stage("b")});
  SubmissionContext given = context();
  given.handed_over = [](const Stage& stage) {
    std::vector<std::pair<std::string, std::string>> variables;
    if (stage.name == "b") variables.emplace_back("KERNMILL_FROM_ENV_TOKEN", "t");
    return variables;
  };
  const auto arrays = plan_jobs(plan, {});
  EXPECT_EQ(batch_job(given, plan, arrays[0], {}).env, given.env);
  EXPECT_EQ(batch_job(given, plan, arrays[1], {}).env.back().second, "t");
  EXPECT_EQ(closing_job(given, plan, {}).env, given.env);
}

TEST(BatchJob, SaysAllThatSbatchWouldBeTold) {
  Workflow workflow;
  workflow.name = "test";
  workflow.base_directory = "/home/ann";
  workflow.stages = {command_stage("a"), thrifty(with_instances(command_stage("b", {"a"}), 6))};
  const Plan plan(workflow);
  auto arrays = plan_jobs(plan, {});
  arrays[1].max_parallel = 2;
  const std::string text = to_script(batch_job(context(), plan, arrays[1], {{"a.0", "41"}}));
  EXPECT_EQ(text, R"(#!/bin/sh
#SBATCH --job-name=test.b
#SBATCH --comment="kernmill:it's-20261121-000000-0000:2:b.0"
#SBATCH --chdir=/home/ann
#SBATCH --output="/home/ann/runs/it's-20261121-000000-0000/slurm/b.0-%A.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --array=0-5%2
#SBATCH --dependency=afterok:41
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --signal=B:USR1@35
#SBATCH --ntasks=2
#SBATCH --cpus-per-task=1
#SBATCH --mem=1500M
#SBATCH --time=2
#SBATCH --nice=5
#SBATCH --exclusive
#SBATCH --export=NONE
export PATH='/bin'
export NOTE='it'\''s'
# Kernmill: stage b of run it's-20261121-000000-0000
exec '/opt/kernmill/bin/kernmill-exec' --run '/home/ann/runs/it'\''s-20261121-000000-0000' --array 'b.0' --generation 2
)");
}

TEST(BatchJob, ThoseThatWaitForNoneAreHeld) {
  const Plan plan = plan_of_stages({command_stage("a")});
  const BatchJob job = batch_job(context(), plan, plan_jobs(plan, {})[0], {});
  EXPECT_EQ(option_of(job, "hold"), "yes");
  EXPECT_EQ(option_of(job, "dependency"), "");
}

TEST(BatchJob, TheClosingJobWaitsForAllHoweverTheyEnd) {
  const Plan plan = plan_of_stages({command_stage("a")});
  const BatchJob job = closing_job(context(), plan, {"5", "6"});
  EXPECT_EQ(option_of(job, "dependency"), "afterany:5:6");
  EXPECT_NE(job.script.find("--close --generation 2"), std::string::npos);
}

TEST(BatchJob, TheClosingJobsMailSaysHowTheRunHasEnded) {
  Workflow workflow;
  workflow.name = "w";
  workflow.stages = {command_stage("a")};
  workflow.mail_to = "ada@site.org";
  const BatchJob job = closing_job(context(), Plan(workflow), {"5"});
  EXPECT_EQ(option_of(job, "mail-user"), "ada@site.org");
  EXPECT_EQ(option_of(job, "mail-type"), "END,FAIL");
  workflow.mail_of_failure_only = true;
  EXPECT_EQ(option_of(closing_job(context(), Plan(workflow), {"5"}), "mail-type"), "FAIL");
  EXPECT_EQ(option_of(closing_job(context(), plan_of_stages({command_stage("a")}), {"5"}), "mail-user"), "");
}

TEST(BatchJob, AsAScriptQuotesWhatSbatchWouldTakeApart) {
  BatchJob job;
  job.script = "#!/bin/sh\nexec true\n";
  job.options = {
      {"chdir", "/home/ada/my runs"}, {"comment", R"(a "b" c\d #e)"}, {"constraint", "a&b"}, {"hold", ""}};
  job.env = {{"PATH", "/a b:/c'd"}};
  EXPECT_EQ(to_script(job), R"(#!/bin/sh
#SBATCH --chdir="/home/ada/my runs"
#SBATCH --comment="a \"b\" c\\d #e"
#SBATCH --constraint=a&b
#SBATCH --hold
#SBATCH --export=NONE
export PATH='/a b:/c'\''d'
exec true
)");
}

TEST(BatchJob, ItsLogIsWhereItsRunIsHoweverThatIsNamed) {
  SubmissionContext given = context();
  given.run = RunDirectory("/runs/50% done/w-1");
  const Plan plan = plan_of_stages({command_stage("a")});
  EXPECT_EQ(option_of(batch_job(given, plan, plan_jobs(plan, {})[0], {}), "output"),
            "/runs/50%% done/w-1/slurm/a.0-%A.log");
}

TEST(BatchJob, TakesNoLineThatComesAsAnOption) {
  Stage stage = command_stage("a");
  stage.resources = {{"partition", "p\n#SBATCH --wrap=id"}};
  Workflow workflow;
  workflow.stages = {stage};
  const Plan plan(workflow);
  const auto arrays = plan_jobs(plan, {});
  EXPECT_THAT([&] { batch_job(context(), plan, arrays[0], {}); },
              ::testing::ThrowsMessage<std::invalid_argument>(
                  ::testing::HasSubstr("the option --partition of a job has a control character in it")));
  BatchJob mail;
  mail.options = {{"mail-user", "ada\ncommand"}};
  EXPECT_THROW(to_script(mail), std::invalid_argument);
  Workflow here = workflow;
  here.stages[0].resources = Json::object();
  here.base_directory = "/home/a\nb";
  const Plan in_folder(here);
  EXPECT_THROW(batch_job(context(), in_folder, plan_jobs(in_folder, {})[0], {}), std::invalid_argument);
}

TEST(BatchJob, ItsCommentSaysWhoseItIs) {
  const auto identity = identity_in(array_comment("iris-1", 3, "fit.0"));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->run, "iris-1");
  EXPECT_EQ(identity->generation, 3U);
  EXPECT_EQ(identity->key, "fit.0");
  for (const char* other : {"", "hello", "kernmill:x", "kernmill:x:1", "kernmill:x:one:a.0", "other:x:1:a.0"})
    EXPECT_FALSE(identity_in(other)) << other;
}

}  // namespace
}  // namespace kernmill
