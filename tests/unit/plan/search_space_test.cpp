#include "kernmill/plan/search_space.hpp"

#include <set>

#include <gmock/gmock.h>

#include "kernmill/plan/philox.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;

Json grid() {
  return {{"type", "grid"}};
}
Json random_strategy(int trials, int seed = 0) {
  return {{"type", "random"}, {"trials", trials}, {"seed", seed}};
}
Json interval(const char* type, double low, double high) {
  return {{"type", type}, {"low", low}, {"high", high}};
}
Json integers(int low, int high) {
  return {{"type", "int_uniform"}, {"low", low}, {"high", high}};
}

Json with_points(Json domain, int points) {
  domain["points"] = points;
  return domain;
}

/// The values of one parameter over all trials.
std::vector<Json> column(const SearchSpace& space, const std::string& name) {
  std::vector<Json> values;
  for (std::uint32_t t = 0; t < space.trials(); ++t) values.push_back(space.point(t).at(name));
  return values;
}

// Vectors of the authors' own implementation (Random123, kat_vectors).
TEST(Philox, AgreesWithThePublishedVectors) {
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(SearchSpace, AGridIsTheCrossProductInDeclaredOrder) {
  const SearchSpace space({{"b", {{"type", "choice"}, {"values", {"u", "v"}}}}, {"a", integers(1, 2)}},
                          grid());
  ASSERT_EQ(space.trials(), 4);
  EXPECT_EQ(space.point(0), Json({{"b", "u"}, {"a", 1}}));
  EXPECT_EQ(space.point(1), Json({{"b", "u"}, {"a", 2}}));
  EXPECT_EQ(space.point(3), Json({{"b", "v"}, {"a", 2}}));
}

TEST(SearchSpace, LogarithmicGridPointsReadAsPeopleWriteThem) {
  const SearchSpace space({{"C", with_points(interval("log_uniform", 1e-3, 1e3), 7)}}, grid());
  EXPECT_THAT(column(space, "C"), ElementsAre(0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0));
}

TEST(SearchSpace, LinearGridPointsIncludeBothEnds) {
  const SearchSpace space({{"m", with_points(interval("uniform", 0.1, 0.5), 5)}}, grid());
  EXPECT_THAT(column(space, "m"), ElementsAre(0.1, 0.2, 0.3, 0.4, 0.5));
}

TEST(SearchSpace, IntegersAreAllTakenUnlessPointsSayOtherwise) {
  EXPECT_THAT(column(SearchSpace({{"n", integers(3, 6)}}, grid()), "n"), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(column(SearchSpace({{"n", with_points(integers(0, 100), 3)}}, grid()), "n"),
              ElementsAre(0, 50, 100));
  EXPECT_THAT(column(SearchSpace({{"n", with_points(integers(1, 2), 9)}}, grid()), "n"), ElementsAre(1, 2));
}

TEST(SearchSpace, AGridOverAnIntervalNeedsPoints) {
  EXPECT_THROW(SearchSpace({{"m", interval("uniform", 0, 1)}}, grid()), std::invalid_argument);
}

TEST(SearchSpace, RandomIntegersIncludeBothEndsAndNothingElse) {
  const auto values = column(SearchSpace({{"n", integers(-1, 2)}}, random_strategy(200)), "n");
  EXPECT_THAT((std::set<int>(values.begin(), values.end())), ElementsAre(-1, 0, 1, 2));
}

TEST(SearchSpace, RandomRealsStayInTheirIntervalAndSpreadOverIt) {
  const auto values = column(SearchSpace({{"m", interval("uniform", 2, 4)}}, random_strategy(1000)), "m");
  double sum = 0;
  for (const Json& value : values) {
    EXPECT_GE(value, 2.0);
    EXPECT_LE(value, 4.0);
    sum += value.get<double>();
  }
  EXPECT_NEAR(sum / 1000, 3.0, 4 * 2 / std::sqrt(12.0 * 1000));  // four standard errors of the mean
}

TEST(SearchSpace, LogUniformValuesAreAsOftenInEachDecade) {
  const auto values =
      column(SearchSpace({{"C", interval("log_uniform", 1e-2, 1e2)}}, random_strategy(1000)), "C");
  const auto small =
      std::count_if(values.begin(), values.end(), [](const Json& value) { return value < 1.0; });
  EXPECT_NEAR(static_cast<double>(small), 500, 4 * std::sqrt(250.0));
}

TEST(SearchSpace, EveryChoiceIsDrawn) {
  const auto values = column(
      SearchSpace({{"a", {{"type", "choice"}, {"values", {"relu", "tanh", "none"}}}}}, random_strategy(60)),
      "a");
  EXPECT_THAT((std::set<std::string>(values.begin(), values.end())), ElementsAre("none", "relu", "tanh"));
}

TEST(SearchSpace, AnotherSeedDrawsOtherValues) {
  const Json space{{"m", interval("uniform", 0, 1)}};
  EXPECT_NE(SearchSpace(space, random_strategy(1, 1)).point(0),
            SearchSpace(space, random_strategy(1, 2)).point(0));
}

TEST(SearchSpace, MoreTrialsAndParametersLeaveTheOtherValuesAsTheyWere) {
  const SearchSpace before({{"m", interval("uniform", 0, 1)}}, random_strategy(3, 7));
  const SearchSpace after({{"new", integers(1, 9)}, {"m", interval("uniform", 0, 1)}}, random_strategy(5, 7));
  for (std::uint32_t t = 0; t < 3; ++t) EXPECT_EQ(before.point(t)["m"], after.point(t)["m"]);
}

// These values are a promise: a run that is resumed with a newer Kernmill has the same trials.
TEST(SearchSpace, RandomPointsNeverChangeFromVersionToVersion) {
  const SearchSpace space({{"model.C", interval("log_uniform", 1e-3, 1e3)}, {"n", integers(0, 1000000)}},
                          random_strategy(2, 7));
  EXPECT_EQ(space.point(0).dump(), R"({"model.C":0.149197492769,"n":738384})");
  EXPECT_EQ(space.point(1).dump(), R"({"model.C":0.214753473335,"n":32152})");
}

TEST(SearchSpace, APointIsPutAtItsDottedNames) {
  const Json config{{"model", {{"type", "mlp"}, {"l2", 0.1}}}, {"seed", 0}};
  EXPECT_EQ(with_point(config, {{"model.l2", 0.5}, {"seed", 3}, {"optimizer.epochs", 9}}),
            Json({{"model", {{"type", "mlp"}, {"l2", 0.5}}}, {"seed", 3}, {"optimizer", {{"epochs", 9}}}}));
}

}  // namespace
}  // namespace kernmill::testing
