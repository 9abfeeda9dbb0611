// The example workflows of this project, as a user submits them.
#include <cstdlib>

#include <gtest/gtest.h>

#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

struct Submitted {
  const char* name;
  std::vector<std::string> options{};  ///< of `kernmill submit`
  const char* needs = "/";             ///< a folder of a package
  friend void PrintTo(const Submitted& one, std::ostream* out) { *out << one.name; }
};

class SlurmExample : public ::testing::TestWithParam<Submitted> {};

TEST_P(SlurmExample, RunsOnACluster) {
  KERNMILL_NEEDS_SLURM();
  if (!fs::exists(GetParam().needs)) GTEST_SKIP() << GetParam().needs << " is not there";
  SubmitWorld world;
  fs::copy(fs::path(KERNMILL_SOURCE_DIR) / "workflows" / "data", world.path() / "data");
  fs::copy(fs::path(KERNMILL_SOURCE_DIR) / "workflows" / (GetParam().name + std::string(".yaml")),
           world.path() / "flow.yaml");
  world.submit(GetParam().options);
  EXPECT_EQ(world.outcome(std::chrono::seconds(240)), "done") << world.kernmill({"status"}).out;
  for (const auto& [key, instance] : world.record().instances)
    EXPECT_TRUE(instance.committed || instance.skipped) << key.first << " " << key.second;
}

INSTANTIATE_TEST_SUITE_P(All, SlurmExample,
                         ::testing::Values(Submitted{"iris_svm"}, Submitted{"digits_mlp"},
                                           Submitted{"digits_layouts"}, Submitted{"stock_forecast"},
                                           Submitted{"stock_lstm"}, Submitted{"linear_regression"},
                                           Submitted{"iris_kmeans"}, Submitted{"parameter_study"},
                                           Submitted{"fashion_mnist",
                                                     {"--set", "train=t10k", "--set", "epochs=1"},
                                                     "/usr/share/datasets/fashion-mnist"}),
                         [](const auto& submitted) { return std::string(submitted.param.name); });

/// An example is a run of its own; all of them are in the queue together.
void submit_example(SubmitWorld& world, const std::string& name, const std::vector<std::string>& options) {
  std::vector<std::string> words{"submit", name + ".yaml"};
  words.insert(words.end(), options.begin(), options.end());
  const Finished finished = world.kernmill(words);
  ASSERT_EQ(finished.exit_code, 0) << name << ": " << finished.err;
}

RunRecord record_of_example(const SubmitWorld& world, const std::string& run) {
  return fold_journal(select_run(world.path() / "runs", run).journal());
}

// The training is preempted once it has saved its first checkpoint.
TEST(SlurmPorted, WorkflowsThatFollowOtherSystemsEndWithTheirNumbers) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  for (const auto& entry : fs::directory_iterator(fs::path(KERNMILL_SOURCE_DIR) / "workflows"))
    if (entry.path().extension() == ".yaml" || entry.path().filename() == "programs")
      fs::copy(entry.path(), world.path() / entry.path().filename(), fs::copy_options::recursive);
  submit_example(world, "preemptible_training",
                 {"--set", "seconds_an_epoch=0.2", "--set", "partition=low", "--set", "epochs=40"});
  const fs::path training = select_run(world.path() / "runs", "last").root();
  wait_until("the first checkpoint",
             [&] { return fs::exists(training / "stages/train/0/checkpoints/state.json"); });
  world.slurm().run({"sbatch", "-p", "main", "-N4", "--exclusive", "--wrap", "true", "-o", "/dev/null"});
  for (const char* name : {"hello_bye", "hydro_study", "variant_calling", "map_and_reduce"})
    submit_example(world, name, {});
  const auto record = [&](const std::string& name) {
    wait_until(
        "the end of " + name, [&] { return !record_of_example(world, name).outcome.empty(); },
        std::chrono::seconds(240));
    return record_of_example(world, name);
  };
  const auto metric = [&](const std::string& name, const std::string& stage, const char* what) {
    const RunRecord whole = record(name);
    const InstanceRecord* instance = whole.find(stage, 0);
    return instance == nullptr ? Json() : instance->metrics.value(what, Json());
  };
  EXPECT_EQ(metric("hello-bye", "guests", "lines"), 8);
  EXPECT_EQ(metric("map-and-reduce", "total", "primes"), 9592);
  EXPECT_GT(metric("hydro-study", "convergence", "order_hll"), 0.5);
  EXPECT_EQ(metric("variant-calling", "report", "recall"), 1.0);
  EXPECT_EQ(metric("preemptible-training", "train", "epochs"), 40);
  EXPECT_EQ(metric("preemptible-training", "train", "starts"), 2);
  const RunRecord training_record = record("preemptible-training");
  EXPECT_EQ(training_record.find("train", 0)->attempts.front().cause, Cause::preempted);
}

// Twenty epochs of five seconds do not fit into a minute.
TEST(SlurmPorted, APyTorchTrainingGoesOnOverItsTimeLimits) {
  KERNMILL_NEEDS_SLURM();
  if (!is_long()) GTEST_SKIP() << "takes three minutes: ./dev test --long";
  const char* const named = std::getenv("KERNMILL_TEST_PYTHON");
  const std::string python = named == nullptr ? "python3" : named;
  if (run_program({{"/usr/bin/env", python, "-c", "import torch"}, "/", {}}).exit_code != 0)
    GTEST_SKIP() << "this python3 has no torch; KERNMILL_TEST_PYTHON may name one that has";
  SubmitWorld world;
  for (const char* name : {"programs", "data", "pytorch_sweep.yaml"})
    fs::copy(fs::path(KERNMILL_SOURCE_DIR) / "workflows" / name, world.path() / name,
             fs::copy_options::recursive);
  submit_example(world, "pytorch_sweep",
                 {"--set", "python=" + python, "--set", "seconds_an_epoch=5", "--set", "time=1m", "--set",
                  "rates=[0.3]"});
  wait_until(
      "the end of the sweep", [&] { return !record_of_example(world, "pytorch-sweep").outcome.empty(); },
      std::chrono::seconds(400));
  const RunRecord record = record_of_example(world, "pytorch-sweep");
  const InstanceRecord* train = record.find("train", 0);
  ASSERT_TRUE(train != nullptr && train->committed) << world.kernmill({"status", "last"}).out;
  EXPECT_GT(train->attempts.size(), 1U);
  EXPECT_EQ(train->attempts.front().cause, Cause::timeout);
  EXPECT_EQ(train->metrics.at("ranks"), 2);
  EXPECT_EQ(train->metrics.at("starts"), train->attempts.size());
  EXPECT_GT(train->metrics.at("accuracy").get<double>(), 0.95);
}

TEST(SlurmPack, TenThousandInstancesAreAFewElementsAndAFewFiles) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  const std::string digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
  world.workflow("  many:\n    matrix: {a: " + digits + ", b: " + digits + ", c: " + digits + ", d: " +
                 digits + "}\n    pack: auto\n    run: 'true'\n  end: {needs: many, run: touch end}\n");
  const RunDirectory run = world.submit();
  EXPECT_EQ(world.outcome(std::chrono::seconds(240)), "done");
  const RunRecord record = world.record();
  for (unsigned i = 0; i < 10'000; ++i) {
    const InstanceRecord* instance = record.find("many", i);
    ASSERT_TRUE(instance != nullptr && instance->committed) << i;
  }
  const auto files =
      std::distance(fs::recursive_directory_iterator(run.root()), fs::recursive_directory_iterator());
  EXPECT_LT(files, 200);
  // The closing job leaves it once it has written the end.
  wait_until("the snapshot of the journal", [&] { return fs::exists(run.journal() / "snapshot"); });
  const Finished status = world.kernmill({"status"});
  EXPECT_NE(status.out.find("10000/10000"), std::string::npos) << status.out;
}

TEST(SlurmGather, HasWhatThePackedAndTheSingleInstancesOfAClusterLeft) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  packed: {matrix: {i: [0, 1, 2, 3]}, pack: 2, max_fails: 1, outputs: [o], run: 'test $KERNMILL_MATRIX_I != 2; touch $KERNMILL_OUTPUT/o'}
  single: {matrix: {k: [7, 8]}, outputs: [model/, {path: '*.tmp', temp: true}], run: 'mkdir $KERNMILL_OUTPUT/model; echo $KERNMILL_MATRIX_K > $KERNMILL_OUTPUT/model/w; touch $KERNMILL_OUTPUT/a.tmp; echo loss=0.$KERNMILL_MATRIX_K >> $KERNMILL_METRICS'}
  all: {inputs: [packed, single], run: 'cut -d, -f1-3 $KERNMILL_GATHERED/packed.csv > packed; cut -d, -f1-4 $KERNMILL_GATHERED/single.csv > single; ls $KERNMILL_RUN/stages/single/0/attempt-1/*.tmp'}
)");
  const RunDirectory run = world.submit();
  EXPECT_EQ(world.outcome(), "done") << world.kernmill({"status"}).out;
  using Lines = std::vector<std::string>;
  EXPECT_EQ(world.lines("packed"), (Lines{"stage,instance,i", "packed,0,0", "packed,1,1", "packed,3,3"}));
  EXPECT_EQ(world.lines("single"), (Lines{"stage,instance,k,loss", "single,0,7,0.7", "single,1,8,0.8"}));
  EXPECT_TRUE(fs::exists(run.attempt("single", 0, 1) / "model" / "w"));
  wait_until("the closing job to remove what is temporary",
             [&] { return !fs::exists(run.attempt("single", 1, 1) / "a.tmp"); });
}

TEST(SlurmPack, AFailureInAPackBlocksItsOwnSuccessorAlone) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow(R"(
  many: {matrix: {i: [0, 1, 2, 3, 4, 5]}, pack: 3, run: test $KERNMILL_MATRIX_I != 2}
  each: {needs: many, matrix: {i: [0, 1, 2, 3, 4, 5]}, pack: 3, run: touch each.$KERNMILL_MATRIX_I}
)");
  world.submit();
  EXPECT_EQ(world.outcome(), "failed");
  for (const unsigned i : {0U, 1U, 3U, 4U, 5U}) EXPECT_TRUE(world.committed("each", i)) << i;
  EXPECT_FALSE(fs::exists(world.path() / "each.2"));
  EXPECT_EQ(world.state("many[2]"), "failed");
  EXPECT_EQ(world.state("each[2]"), "blocked");
}

TEST(SlurmPack, LogsFindWhatAPackedInstanceWrote) {
  KERNMILL_NEEDS_SLURM();
  SubmitWorld world;
  world.workflow("  many: {matrix: {i: [0, 1, 2, 3]}, pack: 4, run: echo value $KERNMILL_MATRIX_I}\n");
  world.submit();
  EXPECT_EQ(world.outcome(), "done");
  EXPECT_EQ(world.kernmill({"logs", "last", "many.2"}).out, "value 2\n");
}

}  // namespace
}  // namespace kernmill::testing
