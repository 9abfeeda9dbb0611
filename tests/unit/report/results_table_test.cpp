#include "kernmill/report/results_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kernmill {
namespace {

using ::testing::ElementsAre;
using Order = ResultsTable::Order;

InstanceStatus trial(const std::string& label, Json written, Json metrics) {
  InstanceStatus status;
  status.label = label;
  status.state = State::finished;
  status.written = std::move(written);
  status.metrics = std::move(metrics);
  status.attempts = 1;
  status.took = std::chrono::duration<double>(1.25);
  return status;
}

std::vector<std::string> labels(const ResultsTable& table) {
  std::vector<std::string> names;
  for (const Json& row : table.json()) names.push_back(row.at("instance"));
  return names;
}

TEST(ResultsTable, HasAColumnForEachNameThatOccurs) {
  ResultsTable table;
  table.add(trial("fit[0]", {{"lr", 0.1}}, {{"loss", 0.5}}));
  table.add(trial("fit[1]", {{"lr", 0.2}}, {{"accuracy", 1}, {"loss", 0.25}}));
  EXPECT_EQ(table.csv(),
            "instance,lr,loss,accuracy,state,attempts,seconds\n"
            "fit[0],0.1,0.5,,finished,1,1.25\n"
            "fit[1],0.2,0.25,1,finished,1,1.25\n");
}

TEST(ResultsTable, TellsThePeakOfMemoryWhereItIsKnown) {
  ResultsTable table;
  InstanceStatus large = trial("fit[0]", {}, {});
  large.peak_memory = 3 << 20;
  table.add(large);
  table.add(trial("fit[1]", {}, {}));
  EXPECT_EQ(table.csv(),
            "instance,state,attempts,seconds,peak_memory\n"
            "fit[0],finished,1,1.25,3145728\n"
            "fit[1],finished,1,1.25,\n");
  EXPECT_EQ(table.text(),
            "instance  state     attempts  seconds  peak_memory\n"
            "fit[0]    finished  1         1.25     3 MiB\n"
            "fit[1]    finished  1         1.25     -\n");
  EXPECT_EQ(table.json()[0]["peak_memory"], 3 << 20);
}

TEST(ResultsTable, NamesThatAreTakenSayWhatTheyAreOf) {
  ResultsTable table;
  table.add(trial("fit[0]", {{"rows", 10}}, {{"rows", 9}, {"state", "good"}}));
  EXPECT_THAT(table.columns(), ElementsAre("instance", "matrix.rows", "metrics.rows", "metrics.state",
                                           "state", "attempts", "seconds"));
  EXPECT_TRUE(table.sort("metrics.rows", Order::largest_first));
  EXPECT_FALSE(table.sort("rows", Order::largest_first));
}

TEST(ResultsTable, WhatHasNoNumberComesLastInBothOrders) {
  ResultsTable table;
  table.add(trial("nothing", {}, Json::object()));
  table.add(trial("nan", {}, {{"loss", "nan"}}));
  table.add(trial("one", {}, {{"loss", 1}}));
  table.add(trial("text", {}, {{"loss", "diverged"}}));
  table.add(trial("ten", {}, {{"loss", 10.0}}));
  table.add(trial("endless", {}, {{"loss", "inf"}}));
  EXPECT_TRUE(table.sort("loss", Order::largest_first));
  EXPECT_THAT(labels(table), ElementsAre("endless", "ten", "one", "text", "nothing", "nan"));
  EXPECT_TRUE(table.sort("loss", Order::smallest_first));
  EXPECT_THAT(labels(table), ElementsAre("one", "ten", "endless", "text", "nothing", "nan"));
  table.keep_first(1);
  EXPECT_THAT(labels(table), ElementsAre("one"));
}

TEST(ResultsTable, CsvQuotesWhatWouldBreakIt) {
  ResultsTable table;
  table.add(trial("fit", {{"name, first", "a \"b\",\nc"}}, {{"list", {1, 2}}}));
  EXPECT_EQ(table.csv(),
            "instance,\"name, first\",list,state,attempts,seconds\n"
            "fit,\"a \"\"b\"\",\nc\",\"[1,2]\",finished,1,1.25\n");
}

TEST(ResultsTable, ForPeopleRoundsAndLeavesListsOut) {
  ResultsTable table;
  table.add(trial("fit[0]", {{"lr", 1.0 / 3}}, {{"history", {1, 2}}, {"loss", "\x1b[31m"}}));
  InstanceStatus waiting;
  waiting.label = "fit[1]";
  table.add(waiting);
  EXPECT_EQ(table.text(),
            "instance  lr      loss   state     attempts  seconds\n"
            "fit[0]    0.3333  \xEF\xBF\xBD[31m  finished  1         1.25\n"
            "fit[1]    -       -      waiting   0         -\n");
}

}  // namespace
}  // namespace kernmill
