// What a task leaves is data of another program: each wrong type is told with its place, and nothing is
// taken.
#include "kernmill/exec/attempt/result_file.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec_world.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using exec::AttemptError;
using testing::ExecWorld;
using ::testing::HasSubstr;
using testing::TemporaryDirectory;

class ResultFile : public ::testing::Test {
 protected:
  template <typename Read>
  std::string complaint(const std::string& text, const Read& read) {
    std::ofstream(file_) << text;
    try {
      read(file_);
    } catch (const AttemptError& error) {
      return error.what();
    }
    return "none";
  }
  std::string of_result(const std::string& text) { return complaint(text, exec::read_result_file); }
  std::string of_trial(const std::string& text) { return complaint(text, exec::read_trial_result_file); }
  std::string of_error(const std::string& text) { return complaint(text, exec::read_error_file); }

  TemporaryDirectory directory_;
  std::filesystem::path file_ = directory_.path() / "result.json";
};

TEST_F(ResultFile, IsTakenWhereEverythingIsAsItHasToBe) {
  std::ofstream(file_) << R"({"schema_version": 1, "metrics": {"a": 1, "b": "x", "c": [1.5, null], "d": true,
    "e": null}, "artifacts": {"model": "sub/model.h5"}, "ranks": 2})";
  const exec::TaskResult result = exec::read_result_file(file_);
  EXPECT_EQ(result.metrics.size(), 5U);
  ASSERT_EQ(result.artifacts.size(), 1U);
  EXPECT_EQ(result.artifacts[0].second, "sub/model.h5");
  EXPECT_EQ(of_result("{}"), "none");
}

TEST_F(ResultFile, OfAWrongTypeIsToldWithItsPlace) {
  const std::string name = file_.string();
  const std::string no_file = ", and has to be the name of a file in the output directory";
  const std::string no_metric = ", and has to be a number, a text, true, false, null, or a list of them";
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"[1, 2]", ": the whole is a list, and has to be a map"},
      {"7", ": the whole is 7, and has to be a map"},
      {"null", ": the whole is null, and has to be a map"},
      {R"({"schema_version": 2})", ": schema_version is 2, and has to be 1"},
      {R"({"schema_version": "1"})", ": schema_version is \"1\", and has to be 1"},
      {R"({"metrics": [1]})", ": metrics is a list, and has to be a map"},
      {R"({"metrics": 1})", ": metrics is 1, and has to be a map"},
      {R"({"metrics": "loss"})", ": metrics is \"loss\", and has to be a map"},
      {R"({"metrics": null})", ": metrics is null, and has to be a map"},
      {R"({"metrics": {"loss": {"train": 1}}})", ": metrics.loss is a map" + no_metric},
      {R"({"metrics": {"loss": [1, {}]}})", ": metrics.loss is a list" + no_metric},
      {R"({"artifacts": ["model.h5"]})", ": artifacts is a list, and has to be a map"},
      {R"({"artifacts": "model.h5"})", ": artifacts is \"model.h5\", and has to be a map"},
      {R"({"artifacts": {"model": 7}})", ": artifacts.model is 7" + no_file},
      {R"({"artifacts": {"model": null}})", ": artifacts.model is null" + no_file},
      {R"({"artifacts": {"model": ["m.h5"]}})", ": artifacts.model is a list" + no_file},
      {R"({"artifacts": {"model": {"path": "m.h5"}}})", ": artifacts.model is a map" + no_file},
      {R"({"artifacts": {"model": ""}})", ": artifacts.model is \"\"" + no_file},
      {R"({"artifacts": {"model": "/etc/passwd"}})", ": artifacts.model is \"/etc/passwd\"" + no_file},
      {R"({"artifacts": {"model": "../other/m.h5"}})", ": artifacts.model is \"../other/m.h5\"" + no_file},
      {R"({"artifacts": {"model": "a/.."}})", ": artifacts.model is \"a/..\"" + no_file},
  };
  for (const auto& [text, complaint] : wrong) EXPECT_EQ(of_result(text), name + complaint) << text;
}

TEST_F(ResultFile, ThatIsNoJsonIsToldWithLineAndColumn) {
  EXPECT_THAT(of_result("{\n\"metrics\": {\"a\": NaN}}"),
              HasSubstr(file_.string() + " is no JSON: parse error at line 2, column 1"));
  EXPECT_THAT(of_result(""), HasSubstr("is no JSON: parse error at line 1"));
  EXPECT_THAT(of_result("{\"metrics\": {\"a\": \"\xff\"}}"), HasSubstr("is no JSON"));
}

TEST_F(ResultFile, OfATrialHasANumberToCompareOrNone) {
  for (const char* good : {R"({"metrics": {"value": 0.5}})", R"({"metrics": {"value": null}})", "{}"})
    EXPECT_EQ(of_trial(good), "none") << good;
  for (const char* value : {"\"0.5\"", "true", "[0.5]"})
    EXPECT_THAT(of_trial(std::string(R"({"metrics": {"value": )") + value + "}}"),
                HasSubstr(": metrics.value is "))
        << value;
}

TEST_F(ResultFile, OfAnErrorHoldsTexts) {
  EXPECT_EQ(of_error(R"({"message": "bad row", "where": "a.csv:3:1", "help": "mend it"})"), "none");
  for (const char* key : {"message", "where", "help"})
    for (const char* value : {"7", "null", "[]", "{}", "true"})
      EXPECT_THAT(of_error(std::string("{\"") + key + "\": " + value + "}"),
                  HasSubstr(std::string(": ") + key + " is "))
          << key << " " << value;
  EXPECT_THAT(of_error("[]"), HasSubstr("the whole is a list"));
}

TEST(ResultFileOfAnAttempt, OfWrongTypesFailsItAndNothingIsCommitted) {
  for (const char* text : {R"({"metrics": [0.75]})", R"({"artifacts": {"model": 7}})", "[]", "{"}) {
    ExecWorld world({ExecWorld::task("fit", {{"result_text", text}})});
    EXPECT_EQ(world.carry_out("fit"), 1) << text;
    EXPECT_EQ(world.last_record("fit").event, "failed") << text;
    EXPECT_EQ(world.last_record("fit").body["cause"], "error");
    EXPECT_THAT(world.message("fit"), HasSubstr("attempt-1/result.json")) << text;
  }
}

TEST(ResultFileOfAnAttempt, AnErrorOfWrongTypesFailsItWithItsPlace) {
  ExecWorld world({ExecWorld::task("fit", {{"error_text", R"({"message": {"text": "no"}})"}, {"exit", 1}})});
  EXPECT_EQ(world.carry_out("fit"), 1);
  EXPECT_THAT(world.message("fit"), HasSubstr("error.json: message is a map, and has to be a text"));
}

}  // namespace
}  // namespace kernmill
