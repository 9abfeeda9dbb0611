#include "kernmill/base/did_you_mean.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

TEST(Nearest, FindsSlipsAndLeavesOtherWordsAlone) {
  const std::vector<std::string> keys{"target", "train", "time", "ntasks"};
  EXPECT_EQ(nearest("taget", keys), "target");
  EXPECT_EQ(nearest("tiem", keys), "time");
  EXPECT_EQ(nearest("Target", keys), "target");
  EXPECT_EQ(nearest("colour", keys), "");
  EXPECT_EQ(nearest("", keys), "");
}

TEST(DidYouMean, NamesTheNearestOrSaysNothing) {
  EXPECT_EQ(did_you_mean("statsu", {"status", "submit"}), "did you mean 'status'?");
  EXPECT_EQ(did_you_mean("statsu", {"status", "submit"}, "kernmill {}"), "did you mean kernmill status?");
  EXPECT_EQ(did_you_mean("xyzzy", {"status", "submit"}), "");
}

}  // namespace
}  // namespace kernmill
