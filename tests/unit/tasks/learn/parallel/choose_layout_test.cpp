#include "kernmill/tasks/learn/parallel/choose_layout.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const std::vector<Layout>& layouts) {
  std::vector<std::string> texts;
  for (const Layout& layout : layouts) texts.push_back(text_of(layout));
  return texts;
}

Candidate candidate(const Layout& layout, double seconds, double memory) {
  return {layout, {seconds, 0, 0, 0}, memory};
}

TEST(Layouts, OfWholeLayersShareRowsAndStages) {
  EXPECT_THAT(names(layouts_of({0, 0, 0, 1}, 4, 3)), ElementsAre("data 4", "data 2 x pipeline 2"));
  EXPECT_THAT(names(layouts_of({0, 0, 0, 1}, 1, 3)), ElementsAre("data 1"));
}

TEST(Layouts, OfSlicesShareThemToo) {
  EXPECT_THAT(
      names(layouts_of({0, 0, 0, 2}, 4, 2)),
      ElementsAre("data 4", "data 2 x tensor 2", "data 2 x pipeline 2", "data 1 x tensor 2 x pipeline 2"));
}

TEST(Layouts, HaveWhatIsGiven) {
  EXPECT_THAT(names(layouts_of({0, 0, 1, 4}, 4, 2)),
              ElementsAre("data 4", "data 2 x tensor 2", "data 1 x tensor 4"));
  EXPECT_THAT(names(layouts_of({3, 0, 0, 1}, 4, 2)), ElementsAre());
}

TEST(Choice, IsTheCheapest) {
  const auto all =
      ranked({candidate({4}, 2, 1), candidate({2, 1, 2}, 1, 1), candidate({1, 4, 1, 4}, 3, 1)}, 10);
  EXPECT_EQ(text_of(all[0].layout), "data 2 x pipeline 2");
  EXPECT_EQ(text_of(all[1].layout), "data 4");
}

TEST(Choice, IsTheSimplerOneOfTwoThatCostAlike) {
  const auto all =
      ranked({candidate({2, 1, 2}, 1, 1), candidate({4}, 1.04, 1), candidate({1, 2, 2, 2}, 1.01, 1)}, 10);
  EXPECT_EQ(text_of(all[0].layout), "data 4");
  EXPECT_THAT(reasons(all, 10),
              ElementsAre(HasSubstr("layout: data 4, of 3 possible: a step of 1.04e+03 ms"),
                          "  not data 2 x pipeline 2: 1e+03 ms a step, too little less to share layers for",
                          HasSubstr("tensor 2 x pipeline 2")));
}

TEST(Choice, FitsIntoTheMemory) {
  constexpr double gibibyte = 1 << 30;
  const auto all =
      ranked({candidate({4}, 1, 4 * gibibyte), candidate({1, 4, 1, 4}, 2, gibibyte)}, 2 * gibibyte);
  EXPECT_EQ(text_of(all[0].layout), "data 1 x tensor 4");
  EXPECT_THAT(reasons(all, 2 * gibibyte)[1],
              HasSubstr("not data 4: it needs 4 GiB of memory a rank, of 2 GiB"));
}

/// A node of a fast machine with 2 GiB a rank, and a model whose 14 vectors are 10.5 GiB.
TEST(Choice, OfAModelThatIsTooLargeForARankSharesItsLayers) {
  constexpr double gibibyte = 1 << 30;
  Machine machine;
  machine.near = machine.far = {1e-6, 5e-7, 1e-6, 1e-10};
  machine.ranks_on_node = machine.cores = 64;
  machine.row = machine.lone_row = 1e-9;
  machine.update = 1e-9;
  const TrainingStep step{{1024, 8192, 8192, 16}, 512};
  std::vector<Candidate> candidates;
  for (const Layout& layout : layouts_of({0, 0, 0, 16}, 16, 3))
    candidates.push_back(
        {layout, predict(machine, step, layout), 10.5 * gibibyte / static_cast<double>(layout.tensor)});
  const auto all = ranked(candidates, 2 * gibibyte);
  EXPECT_GE(all[0].layout.tensor, 8U);
  for (const Candidate& other : all)
    if (other.memory <= 2 * gibibyte) {
      EXPECT_LE(all[0].cost.total(), 1.05 * other.cost.total());
    }
}

TEST(Choice, IsTheSmallestWhereNoneFits) {
  EXPECT_EQ(text_of(ranked({candidate({4}, 1, 4), candidate({1, 4, 1, 4}, 2, 3)}, 1)[0].layout),
            "data 1 x tensor 4");
}

TEST(Choice, SaysWhatTheOthersLoseBy) {
  const std::vector<Candidate> all{{{2}, {10e-3, 1e-3, 0, 0}, 0}, {{1, 1, 2}, {10e-3, 0, 4e-3, 0}, 0}};
  EXPECT_THAT(reasons(all, 1)[1], HasSubstr("14 ms a step, 4 ms more of waiting of its stages"));
}

}  // namespace
}  // namespace kernmill::tasks
