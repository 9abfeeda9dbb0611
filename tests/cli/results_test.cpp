// What a command's metrics become: a search over a command, its table, its best.
#include <fstream>

#include <gmock/gmock.h>

#include "kernmill/os/durable_file.hpp"
#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CommandSearch : public ::testing::Test {
 protected:
  /// Six trials; those of lr 1 find no number.
  void workflow(const std::string& more) {
    std::ofstream(world.folder() / "flow.yaml") << R"(
stages:
  search:
    task: tune
    run: |
      echo "$KERNMILL_POINT_LR ${{ point.kind }} $GIVEN" > $KERNMILL_OUTPUT/model.txt
      if [ ${{ point.lr }} = 1 ]; then echo loss=nan; else
      awk 'BEGIN {l = ${{ point.lr }} - 0.1; printf "loss=%g\n", l * l}'; fi > $KERNMILL_METRICS
    env: {GIVEN: "lr=${{ point.lr }}"}
    space: {lr: [1e-3, 0.10, 1], kind: [3.10, b]}
    objective: {metric: loss, goal: min}
)" << more;
  }
  [[nodiscard]] std::string left(const std::string& name) const {
    return read_file(world.runs().back().attempt("search", 6, 1) / name);
  }
  KillWorld world{"diamond.yaml"};
};

TEST_F(CommandSearch, GivesEachTrialItsPointAndOthersTheBest) {
  workflow(R"(
    inputs: []
    outputs: [model.txt]
  use:
    run: 'cat "$MODEL" > used; echo "$BEST" >> used; grep "\"lr\": 0.1" "$FILE" >> used'
    inputs: [search.best]
    env: {MODEL: "${{ stages.search['model.txt'] }}", BEST: "${{ stages.search.value }}",
          FILE: "${{ stages.search.best }}"}
)");
  const Finished run = world.run({"run", "flow.yaml"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(world.lines("used"), (std::vector<std::string>{"0.10 3.10 lr=0.10", "0", "    \"lr\": 0.1,"}));
  EXPECT_EQ(left("trials.csv"),
            "trial,lr,kind,value,status\n0,1e-3,3.10,0.009801,committed\n1,1e-3,b,0.009801,committed\n"
            "2,0.10,3.10,0,committed\n3,0.10,b,0,committed\n4,1,3.10,,no value\n5,1,b,,no value\n");
  const Json best = Json::parse(left("best.json"));
  EXPECT_EQ(best["point"], (Json{{"lr", 0.1}, {"kind", 3.1}}));
  EXPECT_EQ(best["metrics"], (Json{{"loss", 0}}));
  EXPECT_THAT(run.out, HasSubstr("point      lr=0.1  kind=3.1"));

  const Json again = Json::parse(world.run({"run", "flow.yaml", "--json"}).out);
  EXPECT_EQ(again["stages"][0]["cached"], 7) << "with inputs and outputs declared, trials are cached";
}

TEST_F(CommandSearch, IsPackedAndLeavesNoFolderOfATrial) {
  workflow("    pack: 6\n");
  const Finished run = world.run({"run", "flow.yaml", "-j", "2"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  EXPECT_EQ(Json::parse(left("best.json"))["trial"], 2);
  EXPECT_FALSE(std::filesystem::exists(world.runs().back().attempt("search", 0, 1)));
}

TEST_F(CommandSearch, WithoutTheMetricSaysWhatItsTrialsWroteInItsPlace) {
  std::ofstream(world.folder() / "flow.yaml") << R"(
stages:
  search:
    task: tune
    run: echo los=${{ point.x }} > $KERNMILL_METRICS
    space: {x: {int_uniform: [1, 3]}}
    objective: {metric: loss, goal: min}
)";
  const Finished run = world.run({"run", "flow.yaml"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err,
              HasSubstr("none of the 3 trials of search has a finite value of loss: the metrics that "
                        "they have written are los"));
}

}  // namespace
}  // namespace kernmill::testing
