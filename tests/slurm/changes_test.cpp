// What a run on a real cluster is made of changes, and it goes on.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/run/directory/plan_file.hpp"
#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ChangesOnACluster : public ::testing::Test {
 protected:
  [[nodiscard]] SubmitWorld& world() {
    if (!world_) world_.emplace();
    return *world_;
  }
  void put(const std::string& name, const std::string& text) { std::ofstream(world().path() / name) << text; }

 private:
  std::optional<SubmitWorld> world_;
};

TEST_F(ChangesOnACluster, WhatReadAnEditedScriptRunsAgainWithWhatCollectsItAndOtherResources) {
  KERNMILL_NEEDS_SLURM();
  put("s.sh", "echo old\n");
  world().workflow(R"yaml(
  part:
    matrix: {i: [0, 1, 2]}
    inputs: [./s.sh]
    outputs: [o]
    run: 'sh s.sh > "$KERNMILL_OUTPUT/o"'
  collect:
    needs: part
    inputs: []
    outputs: [all]
    run: 'test -e go; for i in 0 1 2; do cat $(ls -d "$KERNMILL_RUN"/stages/part/$i/attempt-* | tail -1)/o; done > "$KERNMILL_OUTPUT/all"; cp "$KERNMILL_OUTPUT/all" all'
)yaml");
  world().submit();
  ASSERT_EQ(world().outcome(), "failed");
  put("s.sh", "echo newer\n");
  put("go", "");
  const Finished resumed = world().kernmill({"resume", "--rerun-changed", "--set", "collect.time=7"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("part[2] is made again: s.sh has changed"));
  ASSERT_EQ(world().outcome(), "done");
  EXPECT_THAT(world().lines("all"), ElementsAre("newer", "newer", "newer"));
  EXPECT_THAT(content(newest_plan(world().run())), HasSubstr("{\"time\":7}"));

  world().submit();
  ASSERT_EQ(world().outcome(), "done");
  EXPECT_FALSE(world().record().find("collect", 0)->attempts.back().cached_from.empty());
  put("s.sh", "echo newest\n");
  world().submit();
  ASSERT_EQ(world().outcome(), "done");
  EXPECT_THAT(world().lines("all"), ElementsAre("newest", "newest", "newest"));
}

TEST_F(ChangesOnACluster, AResumeSubmitsAgainWhatWasCancelledBelowAnElementThatIsStillEnding) {
  KERNMILL_NEEDS_SLURM();
  world().workflow(R"yaml(
  fit:
    matrix: {i: [0, 1]}
    run: 'trap "until test -e end; do sleep 0.1; done; exit 1" TERM; echo $KERNMILL_MATRIX_I >> begun; until test -e go; do sleep 0.1; done'
  use:
    matrix: {i: [0, 1]}
    needs: fit
    run: 'echo $KERNMILL_MATRIX_I >> used'
  last: {needs: use, run: 'echo last >> used'}
)yaml");
  world().submit();
  wait_until("both have begun", [&] { return world().lines("begun").size() == 2; });
  const std::string element = world().job_of("fit") + "_1";
  EXPECT_EQ(run_program({{"scancel", element}, world().path(), {}}).exit_code, 0);
  wait_until("the element is ending", [&] {
    const Finished listed = run_program({{"squeue", "-h", "-r", "-t", "CG", "-o", "%i"}, world().path(), {}});
    return listed.out.find(element + "\n") != std::string::npos;
  });
  const Finished resumed = world().kernmill({"resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  put("end", "");
  put("go", "");
  EXPECT_EQ(world().outcome(), "done") << resumed.err;
  EXPECT_THAT(world().lines("used"), ::testing::UnorderedElementsAre("0", "1", "last"));
}

}  // namespace
}  // namespace kernmill::testing
