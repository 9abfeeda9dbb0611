#include "kernmill/run/cache/temporary.hpp"

#include <set>

#include <gmock/gmock.h>

#include "cache_support.hpp"
#include "kernmill/run/cache/lost_results.hpp"
#include "plan_support.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Stage with_temporary(Stage stage) {
  stage.config["outputs"] = {"o", {{"path", "big"}, {"temp", true}}};
  return stage;
}

//   make[0..1] --each--> use[0..1]      make --all--> collect
Plan sample() {
  return plan({with_temporary(command("make", {}, one_axis(2))), command("use", {"make"}, one_axis(2)),
               command("collect", {"make"}), with_temporary(command("lone"))});
}

class TemporaryArtifact : public ::testing::Test {
 protected:
  [[nodiscard]] Settled state() const {
    return {[this](InstanceId id) { return settled_.contains(id); },
            [this](std::uint32_t stage) {
              for (std::uint32_t i = 0; i < plan_.instance_count(stage); ++i)
                if (!settled_.contains({stage, i})) return false;
              return true;
            }};
  }
  std::vector<std::string> freed_by(const std::string& stage, std::uint32_t index = 0) {
    settled_.insert(id(plan_, stage, index));
    std::vector<std::string> labels;
    for (const InstanceId freed : TemporaryArtifacts(plan_).freed_by(id(plan_, stage, index), state()))
      labels.push_back(plan_.label(freed));
    return labels;
  }
  Plan plan_ = sample();
  std::set<InstanceId> settled_;
};

TEST_F(TemporaryArtifact, IsFreeWhenTheLastOfThoseWhoWaitForItHasSettled) {
  EXPECT_THAT(freed_by("make", 0), IsEmpty());
  EXPECT_THAT(freed_by("use", 1), IsEmpty());
  EXPECT_THAT(freed_by("collect"), ElementsAre("make[1]"));
  EXPECT_THAT(freed_by("use", 0), ElementsAre("make[0]"));
}

TEST_F(TemporaryArtifact, OfAStageThatNobodyWaitsForIsFreeAtTheEnd) {
  EXPECT_TRUE(TemporaryArtifacts(plan_).has(plan_.stage_number("lone")));
  EXPECT_FALSE(TemporaryArtifacts(plan_).has(plan_.stage_number("use")));
  EXPECT_TRUE(TemporaryArtifacts(plan_).is_free(id(plan_, "lone"), state()));
  EXPECT_FALSE(TemporaryArtifacts(plan_).is_free(id(plan_, "make"), state()));
}

TEST_F(TemporaryArtifact, ThatIsGoneIsLostOnlyWhereSomebodyIsToReadIt) {
  const TemporaryDirectory folder;
  DigestStore digests(folder.path());
  RunRecord record;
  const auto commit = [&](const std::string& stage, unsigned index) -> InstanceRecord& {
    InstanceRecord& instance = record.instances[{stage, index}];
    instance.committed = true;
    return instance;
  };
  for (const unsigned i : {0U, 1U}) {
    commit("make", i).artifacts = {{"big", (folder.path() / "gone").string(), 1, "ab", /*temp=*/true}};
    commit("use", i);
  }
  commit("collect", 0);
  EXPECT_THAT(take_out_lost_results(record, digests, &plan_), IsEmpty());
  record.instances[{"use", 1}].committed = false;
  const auto lost = take_out_lost_results(record, digests, &plan_);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost.front().instance, 1U);
  EXPECT_FALSE(record.find("make", 1)->committed);
  EXPECT_TRUE(record.find("make", 0)->committed);
}

TEST_F(TemporaryArtifact, IsMadeAgainWithWhatItIsMadeOf) {
  const Plan chain =
      plan({with_temporary(command("a")), with_temporary(command("b", {"a"})), command("c", {"b"})});
  const TemporaryDirectory folder;
  DigestStore digests(folder.path());
  RunRecord record;
  for (const char* stage : {"a", "b"}) {
    InstanceRecord& instance = record.instances[{stage, 0}];
    instance.committed = true;
    instance.artifacts = {{"big", (folder.path() / stage).string(), 1, "ab", /*temp=*/true}};
  }
  EXPECT_EQ(take_out_lost_results(record, digests, &chain).size(), 2U);
}

TEST_F(TemporaryArtifact, IsNotNeededByWhoIsSkippedWithOthers) {
  const Plan chain =
      plan({with_temporary(command("a")), command("gate", {"a"}), command("behind", {"a", "gate"})});
  const TemporaryDirectory folder;
  DigestStore digests(folder.path());
  RunRecord record;
  InstanceRecord& made = record.instances[{"a", 0}];
  made.committed = true;
  made.artifacts = {{"big", (folder.path() / "gone").string(), 1, "ab", /*temp=*/true}};
  record.instances[{"gate", 0}].skipped = true;
  EXPECT_THAT(take_out_lost_results(record, digests, &chain), IsEmpty());
}

TEST_F(TemporaryArtifact, IsRemovedAsAFolderOrAPattern) {
  const TemporaryDirectory folder;
  for (const char* name : {"big/deep/f", "a.tmp", "b.tmp", "c.txt"}) write(folder.path() / name, "x");
  remove_artifact({"big", (folder.path() / "big").string(), 1, ""});
  remove_artifact({"*.tmp", (folder.path() / "*.tmp").string(), 1, ""});
  remove_artifact({"none", (folder.path() / "none").string(), 1, ""});
  EXPECT_FALSE(fs::exists(folder.path() / "big"));
  EXPECT_FALSE(fs::exists(folder.path() / "a.tmp"));
  EXPECT_TRUE(fs::exists(folder.path() / "c.txt"));
}

}  // namespace
}  // namespace kernmill::testing
