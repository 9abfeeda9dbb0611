// What is said of classes one by one, against scikit-learn's figures for the same labels and scores.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "kernmill/tasks/data/store/aligned_blocks.hpp"
#include "kernmill/tasks/learn/score/class_report.hpp"
#include "kernmill/tasks/learn/score/roc_auc.hpp"
#include "learn_world.hpp"

namespace kernmill::testing {
namespace {

using tasks::RowStore;

constexpr std::uint64_t row_count = 60;

/// Made-up rows with many ties: the class of row i, then a score for each of three classes.
std::vector<double> made_up_row(std::uint64_t i, std::size_t classes) {
  std::vector<double> row{static_cast<double>((7 * i + i / 3) % 3 % classes)};
  for (std::uint64_t k = 0; k < classes; ++k)
    row.push_back(static_cast<double>((5 * i + 3 * k + i * k) % 11) / 11);
  return row;
}

class Ranking : public LearnWorld {
 protected:
  /// The rows of this rank: few on the first ones, and none on one of them.
  [[nodiscard]] RowStore rows(std::size_t classes) const {
    RowStore store(classes + 1);
    const auto own = [&](std::uint64_t i) {
      if (comm.size() == 1) return 0;
      return i < 5 ? 0 : 2 + static_cast<int>(i) % std::max(1, comm.size() - 2);
    };
    for (std::uint64_t i = 0; i < row_count; ++i)
      if (std::min(own(i), comm.size() - 1) == comm.rank()) store.append(made_up_row(i, classes));
    return store;
  }
};

// roc_auc_score(y == k, S[:, k]) of scikit-learn 1.9 for y and S made by made_up_row's formula.
TEST_F(Ranking, OfEachClassAgainstTheOthersIsThatOfScikitLearn) {
  const std::vector<double> areas = tasks::roc_auc(comm, rows(3), true);
  ASSERT_EQ(areas.size(), 3U);
  EXPECT_DOUBLE_EQ(areas[0], 0.425);
  EXPECT_DOUBLE_EQ(areas[1], 0.610625);
  EXPECT_DOUBLE_EQ(areas[2], 0.421875);
}

// roc_auc_score(y % 2, S[:, 1]), and of S[:, 1] - S[:, 0].
TEST_F(Ranking, OfTwoClassesIsThatOfTheSecond) {
  const RowStore judged = rows(2);
  EXPECT_DOUBLE_EQ(tasks::roc_auc(comm, judged, true)[1], 0.610625);
  EXPECT_DOUBLE_EQ(tasks::roc_auc(comm, judged, true)[0], 0.610625);
  EXPECT_DOUBLE_EQ(tasks::roc_auc(comm, judged, false)[1], 0.431875);
}

TEST_F(Ranking, OfAClassWithoutRowsIsNotANumber) {
  RowStore judged(4);
  judged.append(std::vector<double>{0, 0.5, 0.3, 0.2});
  judged.append(std::vector<double>{1, 0.2, 0.6, 0.2});
  const std::vector<double> areas = tasks::roc_auc(comm, judged, true);
  EXPECT_DOUBLE_EQ(areas[0], 1);
  EXPECT_TRUE(std::isnan(areas[2]));
}

TEST_F(Ranking, OfScoresThatAreAllEqualIsAHalf) {
  RowStore judged(4);
  for (int i = 0; i < 3; ++i) judged.append(std::vector<double>{static_cast<double>(i), 1, 1, 1});
  for (const double area : tasks::roc_auc(comm, judged, true)) EXPECT_DOUBLE_EQ(area, 0.5);
}

// precision_recall_fscore_support of scikit-learn 1.9 for the same rows.
TEST_F(Ranking, MeansOverClassesAreThoseOfScikitLearn) {
  tasks::ClassScores scores;
  scores.rows = row_count;
  scores.confusion = {6, 6, 8, 12, 3, 5, 9, 3, 8};
  const auto report = tasks::report_classes({"a", "b", "c"}, scores, {NAN, NAN, NAN});
  EXPECT_DOUBLE_EQ(report.metrics.at("precision").get<double>(), 0.28439153439153436);
  EXPECT_DOUBLE_EQ(report.metrics.at("recall").get<double>(), 0.2833333333333333);
  EXPECT_DOUBLE_EQ(report.metrics.at("f1").get<double>(), 0.27768768379173153);
  EXPECT_FALSE(report.metrics.contains("roc_auc"));
  EXPECT_DOUBLE_EQ(report.per_class[2].at("f1").get<double>(), 0.3902439024390244);
}

// By hand: of the two rows of another class, one was taken for `a`, one for `b`; nobody has or predicts `c`.
TEST_F(Ranking, RowsOfAnUnknownClassCountAgainstWhatWasPredicted) {
  tasks::ClassScores scores;
  scores.rows = 6;
  scores.confusion = {3, 0, 0, 0, 1, 0, 0, 0, 0};
  scores.unknown = {1, 1, 0};
  const auto report = tasks::report_classes({"a", "b", "c"}, scores, {NAN, NAN, NAN});
  EXPECT_DOUBLE_EQ(scores.metrics().at("accuracy").get<double>(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(report.metrics.at("precision").get<double>(), (3.0 / 4 + 1.0 / 2) / 2);
  EXPECT_DOUBLE_EQ(report.metrics.at("recall").get<double>(), 1);
  EXPECT_DOUBLE_EQ(report.weighted.at("precision").get<double>(), (3 * 3.0 / 4 + 1.0 / 2) / 4);
}

TEST_F(Ranking, BlocksHaveTheSameRowsOnAnyNumberOfRanks) {
  const RowStore judged = rows(3);
  std::vector<double> begins, sizes;
  tasks::each_aligned_block(comm, judged, 8, [&](std::span<const double> block) {
    begins.push_back(block[1]);
    sizes.push_back(static_cast<double>(block.size()) / 4);
  });
  const auto all = comm.allgatherv(std::span<const double>(sizes));
  EXPECT_EQ(all, (std::vector<double>{8, 8, 8, 8, 8, 8, 8, 4}));
  std::vector<double> in_order;
  judged.each_block([&](std::uint64_t, std::span<const double> block) {
    for (std::size_t i = 1; i < block.size(); i += 4) in_order.push_back(block[i]);
  });
  const auto rows_in_order = comm.allgatherv(std::span<const double>(in_order));
  const auto all_begins = comm.allgatherv(std::span<const double>(begins));
  for (std::size_t i = 0; i < all_begins.size(); ++i) EXPECT_EQ(all_begins[i], rows_in_order[8 * i]) << i;
}

}  // namespace
}  // namespace kernmill::testing
