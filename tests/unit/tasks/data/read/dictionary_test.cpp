#include "kernmill/tasks/data/read/dictionary.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::uint32_t> codes_in(Dictionary& dictionary, std::initializer_list<const char*> texts) {
  std::vector<std::uint32_t> codes;
  for (const char* text : texts) codes.push_back(dictionary.code_of(text));
  return codes;
}

TEST(Dictionary, TextsHaveTheirCodesInTheOrderOfTheirFirstAppearance) {
  Dictionary dictionary;
  EXPECT_THAT(codes_in(dictionary, {"b", "a", "b", "b", "c", "a"}), ElementsAre(0, 1, 0, 0, 2, 1));
  EXPECT_THAT(dictionary.texts(), ElementsAre("b", "a", "c"));
  EXPECT_THAT(dictionary.spellings(), IsEmpty());
}

TEST(Dictionary, SpellingsOfANumberHaveOneCodeWhicheverCameFirst) {
  Dictionary dictionary;
  EXPECT_THAT(codes_in(dictionary, {"1.0", "1", "1e0", "2", "2.00", "007", "7"}),
              ElementsAre(0, 0, 0, 1, 1, 2, 3));
  EXPECT_THAT(dictionary.texts(), ElementsAre("1.0", "2", "007", "7"));
  EXPECT_THAT(dictionary.spellings(), ElementsAre("1", "1e0", "2.00"));
}

TEST(Dictionary, WhatIsKnownKeepsItsCodes) {
  Dictionary dictionary({"2", "1.0", "1", "x"});  // as a model of an earlier version may have it
  EXPECT_THAT(codes_in(dictionary, {"1", "1.0", "1.00", "2.0", "x", "y"}), ElementsAre(2, 1, 1, 0, 3, 4));
}

}  // namespace
}  // namespace kernmill::tasks
