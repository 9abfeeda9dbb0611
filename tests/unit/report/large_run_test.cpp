// How a large run stands, from all that its journal says, from rows, and from counts alone: the same.
#include <gtest/gtest.h>

#include "conductor_world.hpp"
#include "kernmill/report/run_status.hpp"
#include "kernmill/report/run_summary.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/run_view.hpp"

namespace kernmill::testing {
namespace {

constexpr unsigned many = 1'500, failing = 700, open = 900, last_begun = 1'400;

//   many (1,500) -> each (1,500)
//               \-> all
class StatusOfALargeRun : public ::testing::Test {
 protected:
  StatusOfALargeRun() {
    JournalWriter writer(place_.path(), "first", 0, "conductor");
    std::vector<Record> records{to_record(events::RunStarted{{7, 8, "n0"}})};
    for (unsigned index = 0; index < last_begun; ++index) {
      const events::Subject of{"many", index, 1};
      records.push_back(to_record(events::Started{of, "pack", {1, 2, "n1"}, "pack.0"}));
      if (index == failing)
        records.push_back(to_record(events::Failed{of, {Cause::error, 3, 0, "no luck"}}));
      else if (index != open)
        records.push_back(to_record(events::Committed{of, {{{}, {{"x", index}}}}}));
    }
    writer.append_all(records);
    keep_snapshot(place_.path(), Worth::grown);
  }

  [[nodiscard]] RunStatus from_all(const StatusOptions& options) const {
    return run_status(run_, plan_, fold_journal(place_.path()), options);
  }
  [[nodiscard]] RunStatus from_view(const StatusOptions& options, bool rows) const {
    const RunView view = view_journal(place_.path(), {.rows = rows});
    EXPECT_EQ(view.plain.rows("many").empty(), !rows);
    return run_status(run_, plan_, view.record, options, &view.plain);
  }

  static Stage with_many(Stage stage) { return with_instances(std::move(stage), many); }
  TemporaryDirectory place_;
  RunDirectory run_{"/runs/test-run"};
  Plan plan_ = plan_of_stages({with_many(command_stage("many")), with_many(command_stage("each", {"many"})),
                               command_stage("all", {"many"})});
};

TEST_F(StatusOfALargeRun, IsTheSameFromRows) {
  const StatusOptions options{.alive = true, .now = "2040-01-01T00:00:00.000Z", .everything = true};
  EXPECT_EQ(to_json(from_view(options, /*rows=*/true)), to_json(from_all(options)));
}

TEST_F(StatusOfALargeRun, NeedsNoRowsForASummary) {
  const StatusOptions options{
      .alive = true, .now = "2040-01-01T00:00:00.000Z", .everything = true, .large_stage = 100};
  const RunStatus status = from_view(options, /*rows=*/false);
  EXPECT_EQ(to_json(status), to_json(from_all(options)));
  EXPECT_EQ(status.stage("many")->of(State::finished), last_begun - 2);
  ASSERT_FALSE(status.instances.empty());
  EXPECT_EQ(status.instances.front().label, "many[700]");
}

TEST_F(StatusOfALargeRun, DescribesTheFirstThatFinishedWhereResultsAreShown) {
  const StatusOptions options{
      .now = "2040-01-01T00:00:00.000Z", .everything = true, .large_stage = 100, .first_of_large = 50};
  const RunStatus status = from_view(options, /*rows=*/true);
  EXPECT_EQ(to_json(status), to_json(from_all(options)));
  EXPECT_EQ(status.instances.at(49).label, "many[49]");
  EXPECT_EQ(status.instances.at(50).label, "many[700]");
  EXPECT_NE(results_text(status).find("... and 1358 more"), std::string::npos) << results_text(status);
}

TEST_F(StatusOfALargeRun, TellsOfEachWithoutKeepingIt) {
  StatusOptions options{.now = "2040-01-01T00:00:00.000Z", .everything = true, .reasons_only = true};
  std::vector<std::string> told;
  options.tell = [&](const RunStatus& so_far, const InstanceStatus& instance) {
    told.push_back(so_far.stages.back().name + " " + instance.label);
    EXPECT_TRUE(instance.metrics.empty());
  };
  EXPECT_TRUE(from_view(options, /*rows=*/true).instances.empty());
  ASSERT_EQ(told.size(), 2 * many + 1);
  EXPECT_EQ(told.at(many), "each each[0]");
}

}  // namespace
}  // namespace kernmill::testing
