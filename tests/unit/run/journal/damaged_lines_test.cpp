#include <fstream>

#include <gmock/gmock.h>

#include "kernmill/plan/job_plan.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "kernmill/run/journal/replay.hpp"
#include "kernmill/workflow/value/json_text.hpp"
#include "plan_support.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string error_of(const std::string& line) {
  const testing::TemporaryDirectory folder;
  std::ofstream(folder.path() / "a.exec.jsonl") << R"({"v":1,"event":"run_started","pid":1,"start_time":2})"
                                                << "\n"
                                                << line << "\n";
  try {
    fold_journal(folder.path());
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(DamagedJournal, IsToldWithFileLineAndWayOutWhateverIsOfAnotherType) {
  const std::string of = R"({"event":"committed","stage":"fit","instance":0,"attempt":1,)";
  for (const std::string& line :
       {of + R"("metrics":5})", of + R"("metrics":[1]})", of + R"("artifacts":{}})",
        of + R"("artifacts":[5]})", of + R"("artifacts":[{"name":"m","path":3,"bytes":1,"sha256":""}]})",
        of + R"("artifacts":[{"name":"m","path":"p","bytes":-1,"sha256":""}]})",
        std::string(R"({"event":"started","stage":"fit","instance":4294967296,"attempt":1,"pid":1})"),
        std::string(R"({"event":"started","stage":"fit","instance":-1,"attempt":1})"),
        std::string(R"({"event":"started","stage":7,"instance":1,"attempt":1})"),
        std::string(R"({"event":"failed","stage":"fit","instance":1,"attempt":1,"cause":[]})"),
        std::string(R"({"event":"submitting","generation":1,"token":"t","arrays":[{"key":5}]})"),
        std::string(R"({"event":"submitting","generation":1,"token":"t","arrays":[7]})"),
        std::string(R"({"event":"packed","stage":"fit","job":"1","attempts":[[0,4294967295,1]]})"),
        std::string(R"({"event":"packed","stage":"fit","job":"1","attempts":[[0,"1",1]]})"),
        std::string(R"({"event":"packed","stage":"fit","job":"1","attempts":[[5,1,1]]})"),
        std::string(R"({"event":5})"), std::string("[]"), std::string(2000, '[')}) {
    EXPECT_THAT(error_of(line), AllOf(HasSubstr("a.exec.jsonl:2: the journal is damaged here: "),
                                      HasSubstr("runs again"), Not(HasSubstr("json.exception"))))
        << line.substr(0, 200);
  }
}

TEST(DamagedJournal, SpeaksOfAnInstanceThatThePlanDoesNotHave) {
  const Plan plan = testing::plan({testing::command("fit")});
  RunRecord record;
  record.instances[{"fit", 100'000'000}].committed = true;
  EXPECT_THAT([&] { Replay(plan, record, {}); },
              ::testing::ThrowsMessage<std::runtime_error>(
                  HasSubstr("instance 100000000 of stage fit, of which plan.json has 1")));
}

TEST(DamagedJournal, SpeaksOfAStageThatThePlanDoesNotHave) {
  const Plan plan = testing::plan({testing::command("fit")});
  RunRecord record;
  record.instances[{"other", 0}].committed = true;
  EXPECT_THAT([&] { Replay(plan, record, {}); }, ::testing::ThrowsMessage<std::runtime_error>(
                                                     HasSubstr("stage other, of which plan.json has 0")));
}

TEST(DamagedJson, IsToldInPlainWords) {
  const auto error = [](const std::string& text) {
    try {
      parse_json(text);
    } catch (const std::invalid_argument& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error("{\n 5"), AllOf(HasSubstr("line 2, column 2"), Not(HasSubstr("json.exception"))));
  EXPECT_THAT(error(std::string(100'000, '[')), HasSubstr("nested deeper than 500 levels"));
  EXPECT_EQ(error("{\"a\": \"" + std::string(1000, '[') + "\\\"[\"}"), "");
  EXPECT_TRUE(json_or_nothing(std::string(100'000, '{')).is_discarded());
  EXPECT_EQ(text_in({{"a", 5}}, "a", "none"), "none");
  EXPECT_EQ(number_in({{"a", "5"}}, "a", -1), -1);
}

TEST(DamagedPlan, OfAnotherTypeIsToldWithoutNamesOfTheLibrary) {
  const Json whole = to_json(testing::plan({testing::command("fit")}));
  for (const auto& [key, value] : whole["workflow"].items()) {
    Json broken = whole;
    broken["workflow"][key] = value.is_number() ? Json("text") : Json(5);
    try {
      plan_from_json(broken);
      ADD_FAILURE() << key;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("this plan.json cannot be used"), Not(HasSubstr("json.exception"))))
          << key;
    }
  }
}

}  // namespace
}  // namespace kernmill
