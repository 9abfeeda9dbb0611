#include "kernmill/tasks/data/prepare/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernmill/tasks/support/task_error.hpp"
#include "preprocess_settings.hpp"

namespace kernmill::tasks {
namespace {

using kernmill::testing::preprocess_settings;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

PreprocessSettings read(const Json& changes) {
  return read_preprocess_settings(preprocess_settings(changes));
}

/// What the error says that these settings are answered with.
std::string refusal(const Json& config) {
  try {
    read_preprocess_settings(config);
  } catch (const SpecError& error) {
    return error.what();
  }
  return "(they are taken)";
}

const Json imputed{{"with", "median"}, {"value", "7"}, {"indicator", true}};
const Json encoded{{"as", "one_hot"}, {"unknown", "ignore"}};
const Json every{{"type", "every"}, {"every", 5}, {"offset", 4}, {"seed", 3}};
const Json chronological{{"type", "chronological"}, {"train", 0.7}, {"validation", 0.1}};
const Json random_rows{{"type", "random"}, {"test", 0.2},      {"validation", 0},
                       {"seed", 9},        {"stratify", true}, {"group", "g"}};
const Json returns{
    {"transform", "log_return"}, {"window", 10}, {"horizon", 2}, {"lags", {0, 3}}, {"columns", {"DAX"}}};

/// Settings of all kinds, all of them good.
Json rich_settings() {
  return preprocess_settings({{"target", {{"column", "y"}, {"type", "class"}}},
                              {"missing", {"-"}},
                              {"columns",
                               {{"a.b",
                                 {{"type", "category"},
                                  {"rename", "c"},
                                  {"impute", imputed},
                                  {"encode", encoded},
                                  {"scale", "robust"}}}}},
                              {"split", random_rows},
                              {"series", returns}});
}

TEST(PreprocessSettings, DefaultsLeaveEverythingAsItIs) {
  const PreprocessSettings settings = read(Json::object());
  EXPECT_EQ(settings.buffer, 1U << 24);
  EXPECT_EQ(settings.on_bad_row, OnBadRow::error);
  EXPECT_FALSE(settings.target);
  EXPECT_FALSE(settings.series);
  EXPECT_EQ(settings.impute.with, Impute::none);
  EXPECT_EQ(settings.encode.as, Encode::none);
  EXPECT_EQ(settings.scale, Scale::none);
  EXPECT_EQ(settings.split.type, SplitType::none);
  EXPECT_EQ(settings.balance, Balance::none);
  EXPECT_FALSE(settings.shuffle);
  EXPECT_THAT(settings.columns, IsEmpty());
  EXPECT_EQ(settings.column("x"), nullptr);
}

TEST(PreprocessSettings, AColumnSaysWhatIsDifferentForIt) {
  const PreprocessSettings settings = read(
      {{"scale", "standard"}, {"columns", {{"a.b", {{"impute", imputed}}}, {"c", {{"scale", "none"}}}}}});
  const ColumnSettings* const column = settings.column("a.b");
  ASSERT_NE(column, nullptr);
  EXPECT_EQ(column->impute.value().with, Impute::median);
  EXPECT_EQ(column->impute.value().value, "7");
  EXPECT_TRUE(column->impute.value().indicator);
  EXPECT_FALSE(column->encode);
  EXPECT_FALSE(column->scale);
  EXPECT_EQ(column->type, ColumnValues::automatic);
  EXPECT_EQ(settings.column("c")->scale, Scale::none);
  EXPECT_EQ(settings.scale, Scale::standard);
}

TEST(PreprocessSettings, ATargetHasAType) {
  const auto type = [](const char* word) {
    return read({{"target", {{"column", "y"}, {"type", word}}}}).target.value().type;
  };
  EXPECT_EQ(type("auto"), TargetType::automatic);
  EXPECT_EQ(type("class"), TargetType::classes);
  EXPECT_EQ(type("number"), TargetType::number);
}

TEST(PreprocessSettings, ASplitHasWhatItsTypeNeeds) {
  const SplitSettings by_number = read({{"split", every}}).split;
  EXPECT_EQ(by_number.type, SplitType::every);
  EXPECT_EQ(by_number.every, 5U);
  EXPECT_EQ(by_number.offset, 4U);
  EXPECT_EQ(by_number.seed, 3U);
  Json in_order = every;
  in_order.erase("seed");
  EXPECT_FALSE(read({{"split", in_order}}).split.seed) << "without a seed, the order is that of the input";

  const SplitSettings by_time = read({{"split", chronological}}).split;
  EXPECT_EQ(by_time.type, SplitType::chronological);
  EXPECT_EQ(by_time.train, 0.7);
  EXPECT_EQ(by_time.validation, 0.1);

  const SplitSettings drawn = read({{"split", random_rows}}).split;
  EXPECT_EQ(drawn.type, SplitType::random);
  EXPECT_EQ(drawn.test, 0.2);
  EXPECT_EQ(drawn.validation, 0.0);
  EXPECT_EQ(drawn.seed, 9U);
  EXPECT_TRUE(drawn.stratify);
  EXPECT_EQ(drawn.group, "g");
}

TEST(PreprocessSettings, ASeriesHasWindows) {
  const SeriesSettings series = read({{"series", returns}}).series.value();
  EXPECT_EQ(series.transform, SeriesTransform::log_return);
  EXPECT_EQ(series.window, 10U);
  EXPECT_EQ(series.horizon, 2U);
  EXPECT_THAT(series.lags, ElementsAre(0U, 3U));
  EXPECT_THAT(series.columns, ElementsAre("DAX"));
}

TEST(PreprocessSettings, OneThatIsMissingIsNamed) {
  const Json all = preprocess_settings(Json::object());
  for (const auto& [key, value] : all.items()) {
    if (key == "format" || key == "delimiter" || key == "decimal" || key == "header" || key == "datasets" ||
        key == "external_files" || key == "max_expansion")
      continue;  // open_input's
    Json config = all;
    config.erase(key);
    EXPECT_EQ(refusal(config), "spec.json: the setting '" + key + "' is missing");
  }
  for (const char* place : {"/target/type", "/columns/a.b/impute/with", "/columns/a.b/encode/unknown",
                            "/split/seed", "/split/group", "/series/lags"}) {
    const Json::json_pointer pointer(place);
    Json config = rich_settings();
    config.at(pointer.parent_pointer()).erase(pointer.back());
    EXPECT_THAT(refusal(config), HasSubstr(pointer.back() + "' is missing")) << place;
  }
}

/// A setting by its place, and what it must not be.
struct WrongSetting {
  const char* place;
  Json value;
  const char* name;  ///< how the error calls it
};

class PreprocessSettingsRefuse : public ::testing::TestWithParam<WrongSetting> {
 protected:
  static std::string answer() {
    Json config = rich_settings();
    if (std::string(GetParam().name).starts_with("split.every")) config["split"] = every, complete(config);
    if (std::string(GetParam().name).starts_with("split.offset")) config["split"] = every, complete(config);
    if (std::string(GetParam().name).starts_with("split.train")) config["split"] = chronological;
    config[Json::json_pointer(GetParam().place)] = GetParam().value;
    return refusal(config);
  }
  static void complete(Json& config) { config["split"].update({{"stratify", false}, {"group", ""}}); }
};

class AWrongType : public PreprocessSettingsRefuse {};
class AnUnknownWord : public PreprocessSettingsRefuse {};

TEST_P(AWrongType, IsRefusedWithTheNameOfTheSetting) {
  EXPECT_EQ(answer(), std::string("spec.json: setting '") + GetParam().name + "' is " +
                          GetParam().value.dump() + ", which is not of the type that it should have");
}

INSTANTIATE_TEST_SUITE_P(
    PreprocessSettings, AWrongType,
    ::testing::Values(
        WrongSetting{"/buffer", "16M", "buffer"}, WrongSetting{"/buffer", 1.5, "buffer"},
        WrongSetting{"/missing", "NA", "missing"}, WrongSetting{"/missing", {1}, "missing"},
        WrongSetting{"/on_bad_row", 1, "on_bad_row"}, WrongSetting{"/target/column", 3, "target.column"},
        WrongSetting{"/target/type", nullptr, "target.type"}, WrongSetting{"/features", "x", "features"},
        WrongSetting{"/drop", {true}, "drop"}, WrongSetting{"/impute/with", 0, "impute.with"},
        WrongSetting{"/impute/value", 0, "impute.value"},
        WrongSetting{"/impute/indicator", "yes", "impute.indicator"},
        WrongSetting{"/encode/as", false, "encode.as"},
        WrongSetting{"/encode/unknown", true, "encode.unknown"},
        WrongSetting{"/scale", Json::array(), "scale"}, WrongSetting{"/columns", Json::array(), "columns"},
        WrongSetting{"/columns/a.b/type", 1, "columns.a.b.type"},
        WrongSetting{"/columns/a.b/rename", 1, "columns.a.b.rename"},
        WrongSetting{"/columns/a.b/impute/value", 1, "columns.a.b.impute.value"},
        WrongSetting{"/columns/a.b/encode/as", 1, "columns.a.b.encode.as"},
        WrongSetting{"/columns/a.b/scale", 1, "columns.a.b.scale"},
        WrongSetting{"/split/type", 1, "split.type"}, WrongSetting{"/split/every", "5", "split.every"},
        WrongSetting{"/split/offset", -1, "split.offset"},
        WrongSetting{"/split/train", "most", "split.train"}, WrongSetting{"/split/test", true, "split.test"},
        WrongSetting{"/split/validation", "0.1", "split.validation"},
        WrongSetting{"/split/seed", 0.5, "split.seed"}, WrongSetting{"/split/stratify", 1, "split.stratify"},
        WrongSetting{"/split/group", nullptr, "split.group"}, WrongSetting{"/balance", nullptr, "balance"},
        WrongSetting{"/shuffle", 1, "shuffle"}, WrongSetting{"/seed", -7, "seed"},
        WrongSetting{"/series/transform", 1, "series.transform"},
        WrongSetting{"/series/window", 4294967296, "series.window"},
        WrongSetting{"/series/horizon", true, "series.horizon"},
        WrongSetting{"/series/lags", {0, -1}, "series.lags"},
        WrongSetting{"/series/columns", "DAX", "series.columns"}));

TEST_P(AnUnknownWord, IsRefusedWithThoseThatAreKnown) {
  EXPECT_THAT(answer(), HasSubstr(std::string("spec.json: setting '") + GetParam().name + "' is '" +
                                  GetParam().value.get<std::string>() + "', which is none of "));
}

INSTANTIATE_TEST_SUITE_P(
    PreprocessSettings, AnUnknownWord,
    ::testing::Values(
        WrongSetting{"/target/type", "text", "target.type"},
        WrongSetting{"/impute/with", "mode", "impute.with"}, WrongSetting{"/encode/as", "hash", "encode.as"},
        WrongSetting{"/encode/unknown", "", "encode.unknown"}, WrongSetting{"/scale", "Standard", "scale"},
        WrongSetting{"/columns/a.b/type", "date", "columns.a.b.type"},
        WrongSetting{"/columns/a.b/impute/with", "mode", "columns.a.b.impute.with"},
        WrongSetting{"/columns/a.b/encode/as", "hash", "columns.a.b.encode.as"},
        WrongSetting{"/columns/a.b/scale", "log", "columns.a.b.scale"},
        WrongSetting{"/split/type", "kfold", "split.type"}, WrongSetting{"/balance", "smote", "balance"},
        WrongSetting{"/series/transform", "return", "series.transform"}));

TEST(PreprocessSettings, AnUnknownWordIsAnsweredWithAllThatAreKnown) {
  EXPECT_EQ(refusal(preprocess_settings({{"scale", "log"}})),
            "spec.json: setting 'scale' is 'log', which is none of none, standard, min_max, robust");
  EXPECT_EQ(refusal(preprocess_settings({{"on_bad_row", "drop"}})), "spec.json: on_bad_row cannot be 'drop'");
}

TEST(PreprocessSettings, WhatIsDividedByIsNotZero) {
  Json zero = every;
  zero["every"] = 0;
  EXPECT_EQ(refusal(preprocess_settings({{"split", zero}})), "spec.json: setting 'split.every' is 0");
  for (const char* key : {"window", "horizon"}) {
    Json series = returns;
    series[key] = 0;
    EXPECT_EQ(refusal(preprocess_settings({{"series", series}})),
              std::string("spec.json: setting 'series.") + key + "' is 0");
  }
}

}  // namespace
}  // namespace kernmill::tasks
