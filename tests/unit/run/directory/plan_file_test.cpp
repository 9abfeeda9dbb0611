#include "kernmill/run/directory/plan_file.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "conductor_world.hpp"
#include "kernmill/os/durable_file.hpp"

namespace kernmill::testing {
namespace {

using ::testing::HasSubstr;

class PlanOnDisk : public ::testing::Test {
 protected:
  const TemporaryDirectory place;
  const RunDirectory run{place.path()};
  const Plan plan = plan_of_stages({with_instances(command_stage("a"), 3), command_stage("b", {"a"})});

  std::string error() const {
    try {
      read_plan_file(run);
    } catch (const std::exception& thrown) {
      return thrown.what();
    }
    return {};
  }
};

TEST_F(PlanOnDisk, IsReadBack) {
  write_plan_file(run, plan);
  EXPECT_EQ(to_json(read_plan_file(run).plan), to_json(plan));
}

TEST_F(PlanOnDisk, AnyChangeOfWhatItSaysIsFound) {
  write_plan_file(run, plan);
  std::string text = read_file(run.plan());
  const std::size_t at = text.find("\"true\"");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 6, "\"trap\"");  // still a plan that could be carried out
  std::ofstream(run.plan(), std::ios::trunc) << text;
  EXPECT_THAT(error(), HasSubstr(run.plan().string() + " is damaged: its checksum"));
}

TEST_F(PlanOnDisk, ThatIsNoJsonOrOfWrongTypesIsAnErrorThatNamesTheFile) {
  for (const std::string bad : {"", "{", "[]", "{\"schema_version\":\"x\"}", "{\"schema_version\":1}"}) {
    std::ofstream(run.plan(), std::ios::trunc) << bad;
    EXPECT_THAT(error(), HasSubstr("plan.json")) << bad;
  }
}

TEST_F(PlanOnDisk, ThatIsAPipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(run.plan().c_str(), 0600), 0);
  EXPECT_THAT(error(), HasSubstr("it is no regular file"));
}

TEST_F(PlanOnDisk, OfAnEarlierVersionHasNoChecksumAndIsRead) {
  std::ofstream(run.plan()) << to_json(plan).dump() << '\n';
  EXPECT_EQ(error(), "");
}

}  // namespace
}  // namespace kernmill::testing
