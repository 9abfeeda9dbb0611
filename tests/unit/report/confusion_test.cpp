#include "kernmill/report/confusion.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

TEST(Confusion, HasTrueClassesInRowsAndPredictedOnesInColumns) {
  const Json evaluation{{"classes", {"a", "long"}}, {"confusion", {{10, 0}, {3, 7}}}};
  EXPECT_EQ(confusion_text(evaluation),
            "  true \\ predicted   a  long\n"
            "  a                 10     0\n"
            "  long               3     7\n");
}

TEST(Confusion, IsFollowedByWhatIsSaidOfEachClass) {
  const Json evaluation{
      {"classes", {"a"}},
      {"confusion", {{10}}},
      {"per_class", {{{"class", "a"}, {"rows", 10}, {"precision", 0.5}, {"roc_auc", 1.0}}}}};
  EXPECT_EQ(confusion_text(evaluation),
            "  true \\ predicted   a\n"
            "  a                 10\n"
            "\n"
            "  class  rows  precision  recall  f1  roc_auc  log_loss\n"
            "  a      10    0.5        -       -   1        -\n");
}

TEST(Confusion, IsNothingForANumericTarget) {
  EXPECT_EQ(confusion_text({{"metrics", {{"rmse", 1.0}}}}), "");
}

TEST(Confusion, IsNothingForADamagedReport) {
  EXPECT_EQ(confusion_text(Json()), "");
  EXPECT_EQ(confusion_text({{"classes", 1}, {"confusion", {{1}}}}), "");
  EXPECT_EQ(confusion_text({{"classes", {"a", "b"}}, {"confusion", {1, 2}}}), "");
  EXPECT_EQ(confusion_text({{"classes", {"a", "b"}}, {"confusion", {{1, 2}, {3}}}}), "");
}

}  // namespace
}  // namespace kernmill
