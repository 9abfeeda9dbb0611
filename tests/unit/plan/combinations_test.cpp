#include "kernmill/plan/combinations.hpp"

#include <gmock/gmock.h>

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Matrix colours_and_sizes() {
  return {{{"colour", {"red", "blue"}}, {"size", {1, 2, 3}}}, {}, {}};
}

std::vector<Json> all(const Matrix& matrix) {
  const Combinations combinations(matrix);
  std::vector<Json> list;
  for (std::uint32_t i = 0; i < combinations.size(); ++i) list.push_back(combinations.values(matrix, i));
  return list;
}

Json combination(const char* colour, int size) {
  return {{"colour", colour}, {"size", size}};
}

TEST(Combinations, TheLastAxisVariesFastest) {
  EXPECT_THAT(all(colours_and_sizes()),
              ElementsAre(combination("red", 1), combination("red", 2), combination("red", 3),
                          combination("blue", 1), combination("blue", 2), combination("blue", 3)));
}

TEST(Combinations, AnExcludeTakesAwayWhatAgreesWithAllItsKeys) {
  Matrix matrix = colours_and_sizes();
  matrix.exclude = {Json{{"size", 2}, {"colour", "red"}}};
  EXPECT_THAT(all(matrix), ElementsAre(combination("red", 1), combination("red", 3), combination("blue", 1),
                                       combination("blue", 2), combination("blue", 3)));
}

TEST(Combinations, AnExcludeThatNamesOneAxisTakesAwayAWholeSlice) {
  Matrix matrix = colours_and_sizes();
  matrix.exclude = {Json{{"colour", "red"}}, Json{{"size", 3}}};
  EXPECT_THAT(all(matrix), ElementsAre(combination("blue", 1), combination("blue", 2)));
}

TEST(Combinations, AnExcludeThatMatchesNothingChangesNothing) {
  Matrix matrix = colours_and_sizes();
  matrix.exclude = {Json{{"size", 7}}, Json{{"shape", "round"}}, Json{{"colour", "red"}, {"shape", "round"}}};
  EXPECT_EQ(all(matrix), all(colours_and_sizes()));
}

TEST(Combinations, AxesThatAreZippedGoTogether) {
  Matrix matrix{{{"x", {1, 2, 3}}, {"colour", {"red", "blue"}}, {"size", {7, 8}}}, {}, {}};
  matrix.axes[2].zipped = true;
  EXPECT_THAT(all(matrix), ElementsAre(Json{{"x", 1}, {"colour", "red"}, {"size", 7}},
                                       Json{{"x", 1}, {"colour", "blue"}, {"size", 8}},
                                       Json{{"x", 2}, {"colour", "red"}, {"size", 7}},
                                       Json{{"x", 2}, {"colour", "blue"}, {"size", 8}},
                                       Json{{"x", 3}, {"colour", "red"}, {"size", 7}},
                                       Json{{"x", 3}, {"colour", "blue"}, {"size", 8}}));
  matrix.exclude = {Json{{"x", 2}}, Json{{"colour", "red"}, {"size", 8}}, Json{{"size", 8}, {"x", 3}}};
  EXPECT_THAT(all(matrix), ElementsAre(Json{{"x", 1}, {"colour", "red"}, {"size", 7}},
                                       Json{{"x", 1}, {"colour", "blue"}, {"size", 8}},
                                       Json{{"x", 3}, {"colour", "red"}, {"size", 7}}));
}

TEST(Combinations, AnIncludeAddsACombinationAtTheEnd) {
  Matrix matrix{{{"size", {1, 2}}}, {}, {Json{{"size", 9}, {"note", "large"}}}};
  EXPECT_THAT(all(matrix),
              ElementsAre(Json{{"size", 1}}, Json{{"size", 2}}, Json{{"size", 9}, {"note", "large"}}));
}

TEST(Combinations, ExcludeDoesNotTakeAwayWhatIncludeAdds) {
  Matrix matrix{{{"size", {1, 2}}}, {Json{{"size", 1}}}, {Json{{"size", 1}}}};
  EXPECT_THAT(all(matrix), ElementsAre(Json{{"size", 2}}, Json{{"size", 1}}));
}

TEST(Combinations, IncludeAloneMakesAMatrix) {
  EXPECT_THAT(all({{}, {}, {Json{{"a", 1}}, Json{{"b", 2}}}}), ElementsAre(Json{{"a", 1}}, Json{{"b", 2}}));
}

TEST(Combinations, EverythingMayBeExcluded) {
  Matrix matrix{{{"size", {1, 2}}}, {Json{{"size", 1}}, Json{{"size", 2}}}, {}};
  EXPECT_THAT(all(matrix), IsEmpty());
}

TEST(Combinations, ANumberMatchesHoweverItIsSpelled) {
  Matrix matrix{{{"rate", {1.0, 2.0}}}, {Json{{"rate", 1}}}, {}};
  EXPECT_THAT(all(matrix), ElementsAre(Json{{"rate", 2.0}}));
}

TEST(Combinations, MoreThanFourThousandMillionAreRefused) {
  Matrix::Axis axis{"x", std::vector<Json>(2048, Json(1))};
  EXPECT_THROW(Combinations({{axis, axis, axis}, {}, {}}), std::length_error);
}

TEST(Combinations, StagesWithoutAMatrixDoNotHaveTheSameOne) {
  EXPECT_FALSE(same_combinations({}, {}));
}

TEST(Combinations, TheOrderOfAxesIsPartOfAMatrix) {
  Matrix turned = colours_and_sizes();
  std::swap(turned.axes[0], turned.axes[1]);
  EXPECT_FALSE(same_combinations(colours_and_sizes(), turned));
  EXPECT_TRUE(same_combinations(colours_and_sizes(), colours_and_sizes()));
}

}  // namespace
}  // namespace kernmill::testing
