// How a training is watched, and goes on after it was killed, in a workflow.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/open_attempts.hpp"
#include "program.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;

constexpr const char* watched_workflow = R"(name: watched
stages:
  prepare: {task: preprocess, input: DATA/digits.csv, target: digit, split: {every: 5, offset: 4}, scale: standard}
  fit:
    task: train
    data: prepare
    model: {type: mlp, hidden: [64]}
    optimizer: {type: adam, learning_rate: 0.001, epochs: 200, batch_size: 32}
    checkpoint: {every: 1}
)";

class WatchedTraining : public ::testing::Test {
 protected:
  WatchedTraining() {
    std::string text = watched_workflow;
    text.replace(text.find("DATA"), 4, DATA);
    std::ofstream(folder_.path() / "flow.yaml") << text;
  }
  [[nodiscard]] Invocation kernmill(std::vector<std::string> words) const {
    words.insert(words.begin(), KERNMILL);
    return {words,
            folder_.path(),
            {{"KERNMILL_RUNS", ""},
             {"KERNMILL_EXEC", KERNMILL_EXEC},
             {"KERNMILL_TASK", KERNMILL_TASK},
             {"KERNMILL_STORAGE", KERNMILL_STORAGE},
             {"OPENBLAS_NUM_THREADS", "1"}}};
  }
  [[nodiscard]] fs::path fit() const {
    return list_runs(folder_.path() / "runs").back().root() / "stages" / "fit" / "0";
  }
  /// To all processes of the run's stages.
  void signal_training(int signal) const {
    for (const int process : processes_with_token(run_token(list_runs(folder_.path() / "runs").back())))
      ::kill(process, signal);
  }
  /// Until the training has told of a few epochs, and left a checkpoint.
  void await_lines(Program& running) const {
    const auto lines = [&] {
      const bool has_begun = !list_runs(folder_.path() / "runs").empty() && fs::exists(fit() / "checkpoints");
      const std::string text = has_begun ? content(fit() / "attempt-1" / "metrics.jsonl") : "";
      return std::count(text.begin(), text.end(), '\n');
    };
    while (lines() < 4 || fs::is_empty(fit() / "checkpoints"))
      ASSERT_FALSE(running.ends_within(std::chrono::milliseconds(2))) << "it ended before anybody looked";
  }
  const TemporaryDirectory folder_;
};

TEST_F(WatchedTraining, IsShownWhileItRunsAndHasOneHistoryAfterItWasKilled) {
  Program running(kernmill({"run", "flow.yaml"}));
  ASSERT_NO_FATAL_FAILURE(await_lines(running));
  // It stands still while it is looked at: on a fast machine it would be at its end before.
  signal_training(SIGSTOP);
  const Finished shown = run_program(kernmill({"status"}));
  const Json status = Json::parse(run_program(kernmill({"status", "--json"})).out);
  EXPECT_THAT(shown.out, HasSubstr("/200  loss "));
  EXPECT_GT(status["instances"][1]["progress"]["step"], 0);
  EXPECT_EQ(status["instances"][1]["progress"]["steps"], 200 * 45);
  signal_training(SIGKILL);
  running.wait();
  ASSERT_FALSE(fs::exists(fit() / "attempt-1" / "model.h5")) << "it was too late to kill it";

  const Finished resumed = run_program(kernmill({"resume", "last"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.out << resumed.err;
  const fs::path second = fit() / "attempt-2";
  const std::string told = read_file(second / "metrics.jsonl");
  const Json begin = Json::parse(told.substr(0, told.find('\n')));
  EXPECT_GT(begin["begin"]["from_step"], 0);
  const Finished info = run_program(kernmill({"model", "info", "--json", (second / "history.h5").string()}));
  ASSERT_EQ(info.exit_code, 0) << info.err;
  EXPECT_EQ(Json::parse(info.out)["about"]["attempts"].size(), 2U);
  EXPECT_THAT(Json::parse(read_file(second / "result.json"))["summary"][0].get<std::string>(),
              HasSubstr("training took"));
  const Json history =
      Json::parse(run_program(kernmill({"results", "last", "fit", "--history", "--json"})).out);
  const Json& rows = history["instances"][0]["rows"];
  EXPECT_EQ(rows.size(), Json::parse(info.out)["rows"]);
  EXPECT_EQ(rows.front()["epoch"], 1);
  EXPECT_EQ(rows.back()["epoch"], 200);
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_GT(rows[i]["step"], rows[i - 1]["step"]);
}

}  // namespace
}  // namespace kernmill::testing
