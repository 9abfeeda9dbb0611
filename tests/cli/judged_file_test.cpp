// A model is judged on files that were never in its dataset, in a workflow.
#include <fstream>

#include <gmock/gmock.h>

#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* judged_workflow = R"(name: judged
stages:
  prepare: {task: preprocess, input: data/iris.csv, target: species, split: {every: 5, offset: 4}, scale: standard}
  fit: {task: train, data: prepare, matrix: {l2: [0.1, 1]}, model: {type: softmax, l2: "${{ matrix.l2 }}"}}
  sample:
    run: '{ head -1 data/iris.csv; grep -v setosa data/iris.csv | sed 1d | head -40; } > $KERNMILL_OUTPUT/some.csv'
    inputs: [data/iris.csv]
    outputs: [some.csv]
  some: {task: evaluate, matrix: {l2: [0.1, 1]}, model: fit, input: sample.some.csv}
  parts: {task: evaluate, matrix: {l2: [0.1, 1]}, model: fit, input: "part-*.csv", on_bad_row: skip}
  gate:
    matrix: {l2: [0.1, 1]}
    env: {F1: "${{ stages.parts.f1 }}", REJECTED: "${{ stages.parts.rejected }}"}
    run: echo "f1=$F1" >> $KERNMILL_METRICS; test $REJECTED = 1
)";

class JudgedFile : public ::testing::Test {
 protected:
  JudgedFile() {
    fs::copy(DATA, folder_.path() / "data");
    fs::permissions(folder_.path() / "data", fs::perms::owner_all);
    write("flow.yaml", judged_workflow);
    const std::vector<std::string> iris = lines_of(folder_.path() / "data" / "iris.csv");
    std::string first = iris[0] + '\n', second = first;
    for (std::size_t i = 1; i < 40; ++i) first += iris[i] + '\n';
    for (std::size_t i = 60; i < iris.size(); ++i) second += iris[i] + '\n';
    write("part-1.csv", first);
    write("part-2.csv", second + "wide,3.0,1.4,0.2,setosa\n");
  }
  static std::vector<std::string> lines_of(const fs::path& path) {
    std::vector<std::string> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
  }
  [[nodiscard]] Finished kernmill(std::vector<std::string> words) const {
    words.insert(words.begin(), KERNMILL);
    return run_program(
        {words,
         folder_.path(),
         {{"KERNMILL_RUNS", ""}, {"KERNMILL_EXEC", KERNMILL_EXEC}, {"KERNMILL_TASK", KERNMILL_TASK}}});
  }
  [[nodiscard]] RunRecord record() const {
    return fold_journal(select_run(folder_.path() / "runs", "last").journal());
  }

  TemporaryDirectory folder_;
};

TEST_F(JudgedFile, IsJudgedAnewWhenItHasChangedAndOnlyThen) {
  const Finished first = kernmill({"run", "flow.yaml", "--quiet"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const RunRecord before = record();
  EXPECT_EQ(before.find("some", 0)->metrics.at("rows"), 40);
  EXPECT_EQ(before.find("parts", 1)->metrics.at("rows"), 130);
  EXPECT_EQ(before.find("gate", 1)->metrics.at("f1"), before.find("parts", 1)->metrics.at("f1"));
  std::ofstream(folder_.path() / "part-2.csv", std::ios::app) << "5.0,3.0,1.4,0.2,setosa\n";
  const Finished plan = kernmill({"plan", "flow.yaml"});
  EXPECT_THAT(plan.out, HasSubstr("some[0]  l2=0.1  cached"));
  EXPECT_THAT(plan.out, HasSubstr("parts[0]  l2=0.1  runs: input part-*.csv changed"));
  const Finished second = kernmill({"run", "flow.yaml", "--quiet"});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(record().find("parts", 1)->metrics.at("rows"), 131);
}

// A name that an evaluation leaves may stand in an expression.
TEST_F(JudgedFile, LeavesMetricsThatTheWorkflowKnowsOf) {
  write("part-1.csv", "sepal_length,sepal_width,petal_length,petal_width,species\n5,3,1.4,0.2,rosa\n");
  const Finished run = kernmill({"run", "flow.yaml", "--quiet"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const RunRecord whole = record();
  const InstanceRecord* judged = whole.find("parts", 0);
  EXPECT_EQ(judged->metrics.at("unknown_class_rows"), 1);
  std::string text =
      std::string(judged_workflow) + "  all:\n    matrix: {l2: [0.1, 1]}\n    run: 'true'\n    env:\n";
  int number = 0;
  const auto refer = [&](const std::string& name) {
    text += "      N" + std::to_string(++number) + ": \"${{ stages.parts." + name + " }}\"\n";
  };
  for (const auto& [name, value] : judged->metrics.items()) refer(name);
  for (const Artifact& artifact : judged->artifacts) refer(artifact.name);
  EXPECT_GT(number, 10);
  write("all.yaml", text);
  const Finished valid = kernmill({"validate", "all.yaml"});
  EXPECT_EQ(valid.exit_code, 0) << valid.err;
}

}  // namespace
}  // namespace kernmill::testing
