#include "kernmill/run/growth/left_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/growth/growth.hpp"
#include "plan_support.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LeftList : public ::testing::Test {
 protected:
  DecidedList of_file(const std::string& name, const std::string& text,
                      std::vector<std::string> columns = {}) {
    const std::string path = (folder.path() / name).string();
    write_file_durably(path, text);
    const bool table = !columns.empty();
    if (!table) columns = {"part"};
    return left_list({{{name, path, text.size(), ""}}, Json::object()},
                     {std::move(columns), table, "split", name});
  }
  static DecidedList of_metric(Json value) {
    return left_list({{}, {{"parts", std::move(value)}}}, {{"part"}, false, "split", "parts"});
  }
  TemporaryDirectory folder;
};

TEST_F(LeftList, IsALineForEachValue) {
  const DecidedList list = of_file("parts.txt", "a b\r\n\n 3.10 \n7\n\"x\"");
  EXPECT_EQ(list.problem, "");
  EXPECT_THAT(list.axes[0].values, ElementsAre("a b", 3.1, 7, "\"x\""));
  EXPECT_EQ(list.axes[0].text(1), "3.10");
  EXPECT_THAT(of_file("none.txt", "").axes[0].values, IsEmpty());
}

TEST_F(LeftList, IsAJsonList) {
  EXPECT_THAT(of_file("parts.json", R"(["a", 1, 2.50, true])").axes[0].values,
              ElementsAre("a", 1, 2.5, true));
  EXPECT_THAT(of_file("parts", "[]").axes[0].values, IsEmpty());
  const DecidedList table =
      of_file("t.json", R"([{"x": 1, "y": "a"}, {"y": "b", "x": 2, "z": 0}])", {"y", "x"});
  EXPECT_THAT(table.axes[0].values, ElementsAre("a", "b"));
  EXPECT_THAT(table.axes[1].values, ElementsAre(1, 2));
}

TEST_F(LeftList, IsACsvFile) {
  EXPECT_THAT(of_file("parts.csv", "name\na\nb\n").axes[0].values, ElementsAre("a", "b"));
  EXPECT_EQ(of_file("parts.csv", "name\na\n").axes[0].name, "part");
  const DecidedList table = of_file("t.csv", "x,y\n1,a\n2,b\n", {"y"});
  EXPECT_THAT(table.axes[0].values, ElementsAre("a", "b"));
}

TEST_F(LeftList, IsAMetric) {
  EXPECT_THAT(of_metric({"a", 1}).axes[0].values, ElementsAre("a", 1));
  EXPECT_THAT(of_metric(R"(["a", 1])").axes[0].values, ElementsAre("a", 1));
  EXPECT_THAT(of_metric(3).problem,
              HasSubstr("the list 'parts' of stage split cannot be used: it is the number 3, not a list"));
}

TEST_F(LeftList, WhatCannotBeUsedIsSaidInWords) {
  EXPECT_THAT(of_file("p.json", "[1,\n 2").problem, HasSubstr("p.json) cannot be used: line"));
  EXPECT_THAT(of_file("p.json", "{\"a\": 1}").problem, HasSubstr("it is a map, not a list"));
  EXPECT_THAT(of_file("p.json", "[{\"a\": 1}]").problem, HasSubstr("its item 1 is a map; name the keys"));
  EXPECT_THAT(of_file("p.json", "[{\"a\": 1}]", {"b"}).problem, HasSubstr("its item 1 has no 'b'"));
  EXPECT_THAT(of_file("p.csv", "a,b\n1,2\n").problem, HasSubstr("it has several columns"));
  EXPECT_THAT(of_file("p.csv", "a\n1,2\n").problem,
              HasSubstr("line 2, column 1: this row has 2 fields, and"));
  EXPECT_THAT(of_file("p.txt", "\xff\n").problem, HasSubstr("not UTF-8"));
  EXPECT_THAT(of_file("p.txt", "1\n", {"a"}).problem, HasSubstr("takes CSV or JSON"));
  EXPECT_THAT(left_list({{}, {{"x", 1}}}, {{"part"}, false, "split", "parts"}).problem,
              HasSubstr("stage split has left no 'parts': it has left x"));
  EXPECT_THAT(
      left_list({{{"parts", "/nowhere/parts", 0, ""}}, {}}, {{"part"}, false, "split", "parts"}).problem,
      HasSubstr("no regular file"));
}

TEST_F(LeftList, AGrownPlanDecidesFromWhenItIsThere) {
  Matrix matrix;
  matrix.axes = {{"part", {}}};
  matrix.later = {{{"part"}, false, "split", "parts"}};
  const Plan before = plan({command("split"), command("fit", {"split"}, matrix)});
  const RunDirectory run(folder.path());
  write_plan_file(run, before);
  EXPECT_FALSE(grow_run(run, before, [](InstanceId) { return std::nullopt; }).has_value());
  EXPECT_EQ(newest_plan(run), run.plan());
  const auto growth = grow_run(run, before, [](InstanceId) {
    return std::optional(InstanceResult{{}, {{"parts", {5, 6}}}});
  });
  ASSERT_TRUE(growth.has_value());
  EXPECT_EQ(newest_plan(run), run.later_plan(2));
  EXPECT_EQ(to_json(read_plan_file(run).plan), to_json(growth->plan));
  EXPECT_EQ(read_plan_file(run).plan.instance_count(1), 2U);
}

}  // namespace
}  // namespace kernmill::testing
