#include "kernmill/run/cluster_check/slurm_notation.hpp"

#include <gmock/gmock.h>

namespace kernmill {
namespace {

using testing::ElementsAre;

TEST(HostNames, AreExpandedWithTheirWidth) {
  EXPECT_THAT(*host_names("n[1-3,7],login"), ElementsAre("n1", "n2", "n3", "n7", "login"));
  EXPECT_THAT(*host_names("n[08-10]"), ElementsAre("n08", "n09", "n10"));
  EXPECT_THAT(*host_names("r[1-2]n[1-2].x"), ElementsAre("r1n1.x", "r1n2.x", "r2n1.x", "r2n2.x"));
  EXPECT_THAT(*host_names(""), ElementsAre());
}

TEST(HostNames, AreRefusedWhenTheyAreNoList) {
  for (const char* text : {"n[1-", "n]", "n[]", "n[a]", "n[3-1]", "n[1-99999999]", "n[1-1000]m[1-1000]"})
    EXPECT_FALSE(host_names(text)) << text;
}

TEST(Gres, HasNameTypeAndCount) {
  const auto list = gres_list("gpu:a100:4(S:0,1),nic,gres:shard:8");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].name + "/" + list[0].type, "gpu/a100");
  EXPECT_EQ(list[0].count, 4u);
  EXPECT_EQ(list[1].name + "/" + list[1].type, "nic/");
  EXPECT_EQ(list[1].count, 1u);
  EXPECT_EQ(list[2].name, "shard");
  EXPECT_EQ(list[2].count, 8u);
}

TEST(Gpus, AreGresOfThatName) {
  EXPECT_EQ(gpu_list("2").front().count, 2u);
  EXPECT_EQ(gpu_list("a100:1,h100:3").back().type, "h100");
  EXPECT_EQ(gpu_list("a100:1,h100:3").back().count, 3u);
  EXPECT_TRUE(gpu_list("").empty());
}

TEST(Licenses, AreCountedWithEitherSeparator) {
  const auto list = license_list("matlab:2,abaqus*3,flex@server");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].count, 2u);
  EXPECT_EQ(list[1].name, "abaqus");
  EXPECT_EQ(list[1].count, 3u);
  EXPECT_EQ(list[2].name, "flex@server");
}

bool allows(const char* constraint, std::vector<std::string> features) {
  return Constraint(constraint).allows(features);
}

TEST(Constraint, BindsAndAndOrAlikeFromLeftToRight) {
  EXPECT_TRUE(allows("a&b", {"a", "b"}));
  EXPECT_FALSE(allows("a&b", {"a"}));
  EXPECT_TRUE(allows("a|b", {"b"}));
  EXPECT_FALSE(allows("a|b&c", {"a"}));
  EXPECT_TRUE(allows("a|(b&c)", {"a"}));
  EXPECT_TRUE(allows("[a|b]&c", {"b", "c"}));
}

TEST(Constraint, TakesWhatItDoesNotUnderstandForSatisfied) {
  EXPECT_TRUE(allows("a&", {}));
  EXPECT_TRUE(allows("(a", {}));
}

TEST(Constraint, WithCountsAllowsEachOfItsFeatures) {
  EXPECT_TRUE(allows("[a*2&b*1]", {"b"}));
  EXPECT_FALSE(allows("[a*2&b*1]", {"c"}));
  EXPECT_THAT(Constraint("[a*2&b*1]|c").features(), ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace kernmill
