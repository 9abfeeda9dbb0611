#include "kernmill/report/training_progress.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using ::testing::ElementsAre;

constexpr const char* begin = R"({"schema_version":1,"begin":{"attempt":1,"from_step":0}})";
constexpr const char* now = "2026-11-30T04:00:10.000Z";

class TrainingProgress : public ::testing::Test {
 protected:
  void put(int attempt, const std::string& text) {
    std::filesystem::create_directories(of(attempt));
    std::ofstream(of(attempt) / "metrics.jsonl") << text;
  }
  [[nodiscard]] std::filesystem::path of(int attempt) const {
    return folder.path() / ("attempt-" + std::to_string(attempt));
  }
  /// Of a file with this row after the first line.
  std::string text(const std::string& row) {
    put(1, std::string(begin) + "\n" + row + "\n");
    return progress_text(read_training_progress(of(1), now));
  }
  const testing::TemporaryDirectory folder;
};

TEST_F(TrainingProgress, IsWhatTheNewestWholeLineSaysCountedFromNow) {
  put(1, std::string(begin) + "\n" + R"({"step":1,"loss":9})" + "\n" +
             R"({"time":"2026-11-30T04:00:00.000Z","step":20,"steps":60,"epoch":2,"epochs":6,"loss":0.25,)" +
             R"("left":{"seconds":130,"low":100,"high":160}})" + "\n" + R"({"step":30,"los)");
  const Json progress = read_training_progress(of(1), now);
  EXPECT_EQ(progress["step"], 20);
  EXPECT_EQ(progress["age"], 10);
  EXPECT_EQ(progress["left"], (Json{{"seconds", 120}, {"low", 90}, {"high", 150}}));
  EXPECT_EQ(progress_text(progress), "epoch 2/6  loss 0.25  2 min 00 s left (1 min 30 s to 2 min 30 s)");
  EXPECT_EQ(metrics_of_progress(progress).dump(), R"({"step":20,"epoch":2,"loss":0.25})");
}

TEST_F(TrainingProgress, IsNothingWhereThereIsNoLineYet) {
  EXPECT_EQ(progress_text(read_training_progress(of(1), now)), "");
  put(1, std::string(begin) + "\n");
  EXPECT_EQ(progress_text(read_training_progress(of(1), now)), "");
}

TEST_F(TrainingProgress, HasNoTimeLeftThatIsNotKnown) {
  EXPECT_EQ(text(R"({"time":"2026-11-30T04:00:09.000Z","step":1,"steps":60,"epoch":1,"epochs":6,"loss":2})"),
            "epoch 1/6  loss 2");
}

TEST_F(TrainingProgress, OfEarlyStoppingIsAtMost) {
  EXPECT_EQ(text(R"({"time":"2026-11-30T04:00:10.000Z","step":1,"most_steps":60,"epoch":1,"most_epochs":6,)"
                 R"("loss":2,"validation_loss":3,"left":{"seconds":30,"low":30,"high":30}})"),
            "epoch 1 of at most 6  loss 2  validation_loss 3  at most 30.0 s left");
}

TEST_F(TrainingProgress, OfAFullBatchMethodIsThatOfItsGradient) {
  EXPECT_EQ(text(R"({"time":"2026-11-30T04:00:10.000Z","step":56,"most_steps":1000,"objective":41.25,)"
                 R"("gradient_norm":0.003,"goal_norm":1e-9})"),
            "iteration 56 of at most 1000  objective 41.25  gradient 0.003, ends at 1e-09");
}

TEST_F(TrainingProgress, ThatNobodyHasHeardOfForLongSaysSo) {
  EXPECT_EQ(text(R"({"time":"2026-11-30T03:50:10.000Z","step":5,"steps":60,"seconds":1,)"
                 R"("left":{"seconds":30,"low":30,"high":30}})"),
            "step 5/60  as of 10 min 00 s ago");
}

TEST_F(TrainingProgress, IsReadFromTheEndOfALongFile) {
  std::string text;
  for (int step = 1; step <= 5000; ++step) text += Json{{"step", step}, {"loss", 1}}.dump() + "\n";
  put(1, text);
  EXPECT_EQ(read_training_progress(of(1), now)["step"], 5000);
}

TEST_F(TrainingProgress, IsNotReadFromWhatIsNoFile) {
  std::filesystem::create_directories(of(1) / "metrics.jsonl");
  EXPECT_TRUE(read_training_progress(of(1), now).empty());
}

TEST_F(TrainingProgress, OfSeveralAttemptsIsOneHistory) {
  put(1,
      std::string(begin) + "\n{\"step\":1,\"loss\":9}\n{\"step\":2,\"loss\":8}\n{\"step\":3,\"loss\":7}\n");
  put(3, R"({"begin":{"attempt":3,"from_step":2}})"
         "\n{\"step\":3,\"loss\":6}\n{\"end\":{\"how\":\"done\"}}\n");
  std::vector<std::string> rows;
  for (const Json& row : read_training_history(of(3))) rows.push_back(row.dump());
  EXPECT_THAT(rows,
              ElementsAre(R"({"step":1,"loss":9})", R"({"step":2,"loss":8})", R"({"step":3,"loss":6})"));
}

}  // namespace
}  // namespace kernmill
