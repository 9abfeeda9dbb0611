// What a run on a real cluster has committed is deleted or changed; `kernmill resume` makes it again.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "submit_world.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void change(const fs::path& file) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  std::fstream(file, std::ios::in | std::ios::out).put('X');
}

/// `make`, three instances that leave a file each, and `use`, which reads each of them and fails the first
/// time.
class LostOnACluster : public ::testing::TestWithParam<const char*> {
 protected:
  void start() {
    world_.emplace();
    world_->workflow(std::string(R"(
  make:
    matrix: {i: [0, 1, 2]}
    pack: )") + GetParam() +
                     R"(
    outputs: [value]
    run: 'echo $KERNMILL_MATRIX_I >> made; echo "$KERNMILL_MATRIX_I by $KERNMILL_ATTEMPT" > $KERNMILL_OUTPUT/value'
  use:
    matrix: {i: [0, 1, 2]}
    env: {VALUE: "${{ stages.make.value }}"}
    run: 'test -e go; cat "$VALUE" > used-$KERNMILL_MATRIX_I'
)");
  }
  [[nodiscard]] SubmitWorld& world() { return *world_; }
  [[nodiscard]] fs::path value(unsigned instance, unsigned attempt = 1) {
    return world().run().attempt("make", instance, attempt) / "value";
  }
  /// Resumes, and waits for the run to be done.
  std::string resume() {
    const Finished resumed = world().kernmill({"resume"});
    EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
    EXPECT_EQ(world().outcome(), "done");
    return resumed.err;
  }

 private:
  std::optional<SubmitWorld> world_;
};

TEST_P(LostOnACluster, ADeletedAndAChangedFileAreMadeAgainBeforeWhatReadsThem) {
  KERNMILL_NEEDS_SLURM();
  start();
  world().submit();
  ASSERT_EQ(world().outcome(), "failed");
  fs::remove(value(0));
  change(value(1));
  std::ofstream(world().path() / "go") << "";
  const std::string told = resume();
  EXPECT_THAT(told, HasSubstr("make[0] is made again: " + value(0).string() + " is gone"));
  EXPECT_THAT(told, HasSubstr("make[1] is made again: " + value(1).string() + " has been changed"));
  EXPECT_THAT(world().lines("used-0"), ElementsAre("0 by 2"));
  EXPECT_THAT(world().lines("used-1"), ElementsAre("1 by 2"));
  EXPECT_THAT(world().lines("used-2"), ElementsAre("2 by 1"));
  EXPECT_THAT(world().lines("made"), ::testing::UnorderedElementsAre("0", "1", "2", "0", "1"));
  EXPECT_THAT(world().kernmill({"explain", "last", "make"}).out,
              HasSubstr("made again, since " + value(0).string() + " is gone"));
}

TEST_P(LostOnACluster, OfARunThatIsDoneItAloneIsMadeAgain) {
  KERNMILL_NEEDS_SLURM();
  start();
  std::ofstream(world().path() / "go") << "";
  world().submit();
  ASSERT_EQ(world().outcome(), "done");
  fs::remove(value(2));
  EXPECT_THAT(resume(), HasSubstr("make[2] is made again"));
  EXPECT_TRUE(fs::exists(value(2, 2)));
  EXPECT_THAT(world().lines("made"), ::testing::UnorderedElementsAre("0", "1", "2", "2"));
  EXPECT_THAT(world().kernmill({"resume"}).err, HasSubstr("done already"));
}

INSTANTIATE_TEST_SUITE_P(Packs, LostOnACluster, ::testing::Values("1", "2"));

}  // namespace
}  // namespace kernmill::testing
