#include "kernmill/tasks/learn/monitor/attempts.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "kernmill/tasks/learn/monitor/line_file.hpp"
#include "temporary_directory.hpp"

namespace kernmill::tasks {
namespace {

using ::testing::ElementsAre;

std::string begin(int attempt, int from_step) {
  return Json{{"begin", {{"attempt", attempt}, {"from_step", from_step}}}}.dump() + "\n";
}

std::string row(int step, double loss) {
  return Json{{"schema_version", 1}, {"step", step}, {"loss", loss}}.dump() + "\n";
}

std::vector<double> column(const storage::History& history, const std::string& name) {
  for (const auto& column : history.columns)
    if (column.name == name) return column.values;
  return {};
}

TEST(TrainingHistory, TakesWhatALaterAttemptHasDoneAgain) {
  const auto history = history_of({{begin(1, 0) + row(1, 9) + row(2, 8) + row(3, 7),
                                    begin(2, 2) + row(3, 6) + row(4, 5), begin(3, 4) + row(5, 4)}});
  EXPECT_THAT(column(history, "step"), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(column(history, "loss"), ElementsAre(9, 8, 6, 5, 4));
  EXPECT_THAT(column(history, "attempt"), ElementsAre(1, 1, 2, 2, 3));
  EXPECT_EQ(Json::parse(history.about)["attempts"].size(), 3);
}

TEST(TrainingHistory, ForgetsAllBeforeAnAttemptThatBeganAnew) {
  const auto history = history_of({{begin(1, 0) + row(1, 9) + row(9, 8), begin(2, 0) + row(4, 5)}});
  EXPECT_THAT(column(history, "step"), ElementsAre(4));
}

TEST(TrainingHistory, PassesOverWhatIsNoWholeLine) {
  const auto history = history_of({{begin(1, 0) + row(1, 9) + "{\"step\":2,\"lo\n" + "null\n" +
                                        std::string(500, '[') + "\n" + row(3, 7) + R"({"step":4,"loss":1})",
                                    ""}});
  EXPECT_THAT(column(history, "step"), ElementsAre(1, 3));
}

TEST(TrainingHistory, HasNoNumberWhereALineHasNone) {
  const auto history = history_of({{begin(1, 0) + row(1, 9) + "{\"step\":2,\"rate\":0.5}\n"}});
  EXPECT_TRUE(std::isnan(column(history, "rate")[0]));
  EXPECT_EQ(column(history, "rate")[1], 0.5);
  EXPECT_TRUE(std::isnan(column(history, "loss")[1]));
}

TEST(TrainingHistory, OfNothingHasNoRows) {
  EXPECT_EQ(rows_of(history_of({})), 0);
}

TEST(Attempts, AreFoundBesideEachOther) {
  const testing::TemporaryDirectory folder;
  std::filesystem::create_directories(folder.path() / "attempt-2");
  std::ofstream(folder.path() / "attempt-2/metrics.jsonl") << begin(2, 0) << row(1, 9);
  const Attempts earlier = Attempts::before(folder.path() / "attempt-3", 3);
  EXPECT_THAT(earlier.texts, ElementsAre("", begin(2, 0) + row(1, 9)));
  EXPECT_FALSE(earlier.diverged());
  EXPECT_TRUE((Attempts{{begin(1, 0) + "{\"end\":{\"how\":\"diverged\"}}\n", begin(2, 0)}}).diverged());
}

TEST(LineFile, BeginsAnewAndHasALineEach) {
  const testing::TemporaryDirectory folder;
  const auto file = folder.path() / "lines";
  std::ofstream(file) << "what was there\n";
  LineFile lines(file);
  lines.append({{"a", 1}});
  lines.append({{"b", 2}});
  EXPECT_EQ(text_of_lines(file), "{\"a\":1}\n{\"b\":2}\n");
}

TEST(LineFile, ThatCannotBeWrittenIsToldOnceAndEndsNothing) {
  ::testing::internal::CaptureStderr();
  LineFile lines("/nowhere/at/all");
  lines.append({{"a", 1}});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "warning: /nowhere/at/all cannot be written (No such file or directory): how training goes on is "
            "not told there\n");
}

}  // namespace
}  // namespace kernmill::tasks
