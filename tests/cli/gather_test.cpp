// Many into one: what all instances of a stage have left, in one table.
#include <algorithm>

#include <gmock/gmock.h>

#include "kernmill/os/durable_file.hpp"
#include "kill_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class Gather : public ::testing::Test {
 protected:
  Gather() : world("diamond.yaml") {}
  void workflow(const std::string& text) const { std::ofstream(world.folder() / "flow.yaml") << text; }
  [[nodiscard]] std::string text_of(const std::string& file) const {
    return read_file(world.folder() / file);
  }
  [[nodiscard]] std::string path(const std::string& stage, unsigned instance, unsigned attempt,
                                 const std::string& file) const {
    return (world.runs().back().attempt(stage, instance, attempt) / file).string();
  }
  KillWorld world;
};

constexpr const char* sweep =
    "stages:\n"
    "  part:\n"
    "    matrix: {x: [1, 2, 3], name: ['a,b']}\n"
    "    max_fails: 1\n"
    "    retries: {max: 1, on: [error]}\n"
    "    inputs: []\n"
    "    outputs: [o.txt, p.txt]\n"
    "    run: |\n"
    "      echo stale > $KERNMILL_OUTPUT/o.txt\n"
    "      test $KERNMILL_MATRIX_X != 2\n"
    "      test $KERNMILL_MATRIX_X != 3 -o $KERNMILL_ATTEMPT != 1\n"
    "      echo $KERNMILL_MATRIX_X > $KERNMILL_OUTPUT/p.txt\n"
    "      echo loss=0.$KERNMILL_MATRIX_X >> $KERNMILL_METRICS\n";

TEST_F(Gather, HasARowForEachInstanceThatHasCommittedAndNoneOfWhatFailed) {
  workflow(std::string(sweep) +
           "  all: {inputs: [part], run: 'cp $KERNMILL_GATHERED all.csv; cp ${KERNMILL_GATHERED%.csv}.json "
           "all.json'}\n");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  EXPECT_EQ(text_of("all.csv"),
            "stage,instance,x,name,loss,o.txt,p.txt\n"
            "part,0,1,\"a,b\",0.1," +
                path("part", 0, 1, "o.txt") + "," + path("part", 0, 1, "p.txt") +
                "\n"
                "part,2,3,\"a,b\",0.3," +
                path("part", 2, 2, "o.txt") + "," + path("part", 2, 2, "p.txt") + "\n");
  const Json json = Json::parse(text_of("all.json"));
  ASSERT_EQ(json["instances"].size(), 2U);
  EXPECT_EQ(json["instances"][1],
            Json({{"instance", 2},
                  {"matrix", {{"x", 3}, {"name", "a,b"}}},
                  {"metrics", {{"loss", 0.3}}},
                  {"artifacts",
                   {{"o.txt", path("part", 2, 2, "o.txt")}, {"p.txt", path("part", 2, 2, "p.txt")}}}}));
}

TEST_F(Gather, OfSeveralStagesIsAFolderAndInPacksItIsTheSame) {
  workflow(std::string(sweep) +
           "  other: {matrix: {part: [8, 9]}, pack: 2, run: 'echo part=$KERNMILL_MATRIX_PART >> "
           "$KERNMILL_METRICS'}\n"
           "  all: {matrix: {k: [1, 2]}, pack: 2, inputs: [part.p.txt, other], run: 'cat "
           "$KERNMILL_GATHERED/*.csv > all.$KERNMILL_MATRIX_K'}\n");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  EXPECT_THAT(text_of("all.1"),
              HasSubstr("stage,instance,matrix.part,metrics.part\nother,0,8,8\nother,1,9,9\n"));
  EXPECT_THAT(text_of("all.1"), HasSubstr("stage,instance,x,name,loss,p.txt\npart,0,1,"));
  EXPECT_THAT(text_of("all.1"), Not(HasSubstr("o.txt")));
  EXPECT_EQ(text_of("all.2"), text_of("all.1"));
}

TEST_F(Gather, IsTakenFromTheCacheUntilAnInstanceLeavesSomethingElse) {
  const auto flow = [&](const std::string& x) {
    workflow("stages:\n  part: {matrix: {x: " + x +
             "}, inputs: [./in.txt], outputs: [o], run: 'cat in.txt > $KERNMILL_OUTPUT/o'}\n"
             "  all: {inputs: [part], outputs: [n], run: 'cat $KERNMILL_GATHERED > $KERNMILL_OUTPUT/n'}\n");
  };
  std::ofstream(world.folder() / "in.txt") << "1";
  flow("[1, 2]");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  EXPECT_THAT(world.run({"run", "flow.yaml"}).err, HasSubstr("3 finished (3 cached)"));
  flow("[1, 2, 3]");
  const Finished planned = world.run({"plan", "flow.yaml"});
  EXPECT_THAT(planned.out, HasSubstr("all  runs: part will run first"));
  EXPECT_THAT(world.run({"run", "flow.yaml"}).err, HasSubstr("4 finished (2 cached)"));
  EXPECT_THAT(world.run({"explain", "last", "all"}).out, HasSubstr("input part changed"));
  std::ofstream(world.folder() / "in.txt") << "another";
  EXPECT_THAT(world.run({"run", "flow.yaml"}).err, HasSubstr("4 finished."));
}

TEST_F(Gather, RefusesAnArtifactThatSomebodyHasChanged) {
  workflow(
      "stages:\n  part: {matrix: {x: [1, 2]}, outputs: [o], run: 'echo 1 > $KERNMILL_OUTPUT/o'}\n"
      "  spoil: {needs: part, run: 'echo 22 > $KERNMILL_RUN/stages/part/1/attempt-1/o'}\n"
      "  all: {inputs: [part], needs: spoil, run: 'touch told'}\n");
  EXPECT_THAT(world.run({"run", "flow.yaml"}).err, HasSubstr("o is not what part[1] committed"));
  EXPECT_FALSE(fs::exists(world.folder() / "told"));
}

class Folders : public Gather {};

TEST_F(Folders, AndPatternsAreKeptCachedAndNamedToOtherStages) {
  fs::create_directories(world.folder() / "data/deep");
  std::ofstream(world.folder() / "data/deep/a.csv") << "1\n";
  workflow(
      "stages:\n"
      "  make:\n"
      "    inputs: [data/]\n"
      "    outputs: [model/, '*.png']\n"
      "    run: |\n"
      "      mkdir $KERNMILL_OUTPUT/model; cp data/deep/a.csv $KERNMILL_OUTPUT/model/w\n"
      "      touch $KERNMILL_OUTPUT/1.png $KERNMILL_OUTPUT/2.png\n"
      "  use:\n"
      "    inputs: [make.model, 'make.*.png', \"${{ stages.make.dir }}\"]\n"
      "    outputs: [o]\n"
      "    env: {MODEL: '${{ stages.make.model }}', PLOTS: \"${{ stages.make['*.png'] }}\", DIR: '${{ "
      "stages.make.dir }}'}\n"
      "    run: cat $MODEL/w > $KERNMILL_OUTPUT/o; ls $PLOTS | wc -l >> $KERNMILL_OUTPUT/o; ls $DIR/model >> "
      "$KERNMILL_OUTPUT/o\n");
  const Finished first = world.run({"run", "flow.yaml"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(read_file(path("use", 0, 1, "o")), "1\n2\nw\n");
  const Finished again = world.run({"run", "flow.yaml"});
  EXPECT_THAT(again.err, HasSubstr("2 finished (2 cached)"));
  EXPECT_EQ(read_file(path("make", 0, 1, "model/w")), "1\n");
  std::ofstream(world.folder() / "data/deep/a.csv") << "22\n";
  EXPECT_THAT(world.run({"run", "flow.yaml"}).err, HasSubstr("2 finished."));
  EXPECT_THAT(world.run({"explain", "last", "use"}).out, HasSubstr("input make.model changed"));
  fs::remove(path("make", 0, 1, "model/w"));
  EXPECT_THAT(world.run({"resume", "last"}).err, HasSubstr("model is gone"));
}

TEST_F(Folders, ThatArePromisedAndEmptyFailTheAttemptInWords) {
  const auto error_of = [&](const std::string& outputs, const std::string& run) {
    workflow("stages:\n  a: {outputs: [" + outputs + "], run: 'cd $KERNMILL_OUTPUT; " + run + "'}\n");
    return world.run({"run", "flow.yaml"}).err;
  };
  EXPECT_THAT(error_of("model/", "true"), HasSubstr("left no folder 'model/' in $KERNMILL_OUTPUT"));
  EXPECT_THAT(error_of("model/", "mkdir -p model/deep"), HasSubstr("left nothing in 'model/'"));
  EXPECT_THAT(error_of("model/", "touch model"), HasSubstr("left a file 'model', and no folder 'model/'"));
  EXPECT_THAT(error_of("model", "mkdir model"), HasSubstr("(a folder is written `model/`)"));
  EXPECT_THAT(error_of("'*.png'", "true"), HasSubstr("left nothing that matches '*.png'"));
  EXPECT_THAT(error_of("model/", "mkdir model; ln -s /etc/passwd model/p"),
              HasSubstr("model/p is a link to /etc/passwd, which is not part of the artifact"));
}

TEST_F(Folders, OfInstancesGoByEqualMatrices) {
  workflow(
      "stages:\n"
      "  make: {matrix: {x: [1, 2]}, inputs: [], outputs: [o], run: 'echo $KERNMILL_MATRIX_X > "
      "$KERNMILL_OUTPUT/o'}\n"
      "  use: {matrix: {x: [1, 2]}, inputs: [make.dir], env: {DIR: '${{ stages.make.dir }}'}, run: 'cp "
      "$DIR/o "
      "told.$KERNMILL_MATRIX_X'}\n");
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  EXPECT_EQ(text_of("told.1"), "1\n");
  EXPECT_EQ(text_of("told.2"), "2\n");
}

class Temporary : public Gather {
 protected:
  Temporary() {
    workflow(
        "stages:\n"
        "  make:\n"
        "    matrix: {x: [1, 2]}\n"
        "    inputs: []\n"
        "    outputs: [{path: big/, temp: true}, small]\n"
        "    run: echo make$KERNMILL_MATRIX_X >> ran; mkdir $KERNMILL_OUTPUT/big; touch "
        "$KERNMILL_OUTPUT/big/f "
        "$KERNMILL_OUTPUT/small\n"
        "  use:\n"
        "    matrix: {x: [1, 2]}\n"
        "    inputs: [make.big]\n"
        "    outputs: [o]\n"
        "    env: {BIG: '${{ stages.make.big }}'}\n"
        "    run: echo use$KERNMILL_MATRIX_X >> ran; ls $BIG/f; test $KERNMILL_MATRIX_X = 1 -o -e ready; "
        "touch "
        "$KERNMILL_OUTPUT/o\n"
        "  last: {needs: use, run: 'test ! -e $KERNMILL_RUN/stages/make/0/attempt-1/big; touch told'}\n"
        "  lone: {outputs: [{path: l, temp: true}], run: 'touch $KERNMILL_OUTPUT/l'}\n");
  }
  [[nodiscard]] bool has_big(unsigned instance, unsigned attempt = 1) const {
    return fs::exists(path("make", instance, attempt, "big"));
  }
  [[nodiscard]] std::vector<std::string> ran() const {
    auto lines = world.lines("ran");
    std::sort(lines.begin(), lines.end());
    fs::remove(world.folder() / "ran");
    return lines;
  }
  void make_ready() const { std::ofstream(world.folder() / "ready") << "yes"; }
};

TEST_F(Temporary, GoesWhenAllWhoWaitForItHaveCommittedAndNotBefore) {
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 1);
  EXPECT_FALSE(has_big(0));
  EXPECT_TRUE(has_big(1));  // use[1] has failed, and may run again
  EXPECT_TRUE(fs::exists(path("lone", 0, 1, "l")));
  (void)ran();
  make_ready();
  const Finished resumed = world.run({"resume", "last"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, Not(HasSubstr("made again")));
  EXPECT_THAT(ran(), ::testing::ElementsAre("use2"));
  EXPECT_FALSE(has_big(1));
  EXPECT_FALSE(fs::exists(path("lone", 0, 1, "l")));
  EXPECT_TRUE(fs::exists(path("make", 1, 1, "small")));
  EXPECT_TRUE(fs::exists(world.folder() / "told"));
  EXPECT_THAT(world.run({"resume", "last"}).err, HasSubstr("done already"));
}

TEST_F(Temporary, IsMadeAgainWhenSomebodyHasToReadItAgain) {
  make_ready();
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  (void)ran();
  fs::remove(path("use", 0, 1, "o"));
  const Finished resumed = world.run({"resume", "last"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("make[0] is made again: " + path("make", 0, 1, "big") +
                                     " is gone, and is needed again"));
  EXPECT_THAT(ran(), ::testing::ElementsAre("make1", "use1"));
  EXPECT_FALSE(has_big(0, 2));
}

TEST_F(Temporary, ThatIsGoneIsNotOfferedByTheCache) {
  make_ready();
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  (void)ran();
  EXPECT_EQ(world.run({"run", "flow.yaml"}).exit_code, 0);
  EXPECT_THAT(ran(), ::testing::ElementsAre("make1", "make2"));
}

}  // namespace
}  // namespace kernmill::testing
