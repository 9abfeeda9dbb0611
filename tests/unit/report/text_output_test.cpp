#include "kernmill/report/text_output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conductor_world.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using What = InstanceEvent::What;

/// A narration written to memory, of a run whose clock stands still.
class Narration {
 public:
  explicit Narration(Plan plan, TextOptions options = {})
      : plan_(std::move(plan)),
        progress_(plan_, {}),
        stream_(open_memstream(&text_, &size_)),
        output_(stream_, options, [] { return std::chrono::steady_clock::time_point{}; }) {
    output_.begin(RunDirectory("/runs/test-run"), plan_, progress_, false);
  }
  ~Narration() {
    std::fclose(stream_);
    std::free(text_);
  }
  /// Every instance that may start is taken and finished.
  void finish_all(const Json& metrics = Json::object()) {
    while (const auto id = progress_.take_ready()) {
      progress_.finished(*id);
      tell(What::committed, *id, metrics);
    }
  }
  void tell(What what, InstanceId id, const Json& metrics = Json::object(), const std::string& message = {}) {
    InstanceEvent event;
    event.what = what;
    event.id = id;
    event.took = std::chrono::milliseconds(412);
    event.metrics = metrics;
    event.message = message;
    output_.instance(event);
  }
  std::string text() {
    std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  Plan plan_;
  Progress progress_;
  std::FILE* stream_;
  TextOutput output_;
};

TEST(TextOutput, HasAlignedLinesOfLabelWordDurationAndMetrics) {
  Narration narration(plan_of_stages({command_stage("a"), command_stage("longer", {"a"})}));
  narration.finish_all({{"x", 0.5}});
  EXPECT_THAT(
      narration.text(),
      HasSubstr("\n  a       done           0.41 s  x 0.5\n  longer  done           0.41 s  x 0.5\n"));
}

TEST(TextOutput, SaysAFailureInOneLine) {
  Narration narration(plan_of_stages({command_stage("a")}));
  narration.tell(What::failed, {0, 0}, {}, "not finite\nat epoch 3");
  EXPECT_THAT(narration.text(), HasSubstr("failed         0.41 s  not finite: at epoch 3\n"));
}

TEST(TextOutput, GivesALargeStageOneLine) {
  Narration narration(plan_of_stages({with_instances(command_stage("many"), 100)}));
  narration.finish_all();
  EXPECT_THAT(narration.text(), HasSubstr("100 instances"));
  EXPECT_THAT(narration.text(), Not(HasSubstr("many[7]")));
}

TEST(TextOutput, WhenVerboseGivesEveryInstanceALine) {
  TextOptions options;
  options.verbose = true;
  Narration narration(plan_of_stages({with_instances(command_stage("many"), 100)}), options);
  narration.finish_all();
  EXPECT_THAT(narration.text(), HasSubstr("many[7]"));
}

TEST(TextOutput, WhenQuietTellsOfFailuresAlone) {
  TextOptions options;
  options.quiet = true;
  Narration narration(plan_of_stages({command_stage("a"), command_stage("b")}), options);
  narration.finish_all();
  EXPECT_EQ(narration.text(), "");
  narration.tell(What::failed, {0, 0}, {}, "no");
  EXPECT_THAT(narration.text(), HasSubstr("failed"));
}

TEST(TextOutput, DrawsAProgressLineOnlyOnATerminal) {
  TextOptions options;
  options.live = true;
  Narration on(plan_of_stages({command_stage("a")}), options), off(plan_of_stages({command_stage("a")}));
  on.tell(What::started, {0, 0});
  off.tell(What::started, {0, 0});
  EXPECT_THAT(on.text(), HasSubstr("0/1 done"));
  EXPECT_THAT(off.text(), Not(HasSubstr("\r")));
}

}  // namespace
}  // namespace kernmill::testing
