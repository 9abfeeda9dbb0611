#include "kernmill/base/shell_word.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

TEST(ShellWord, IsInSingleQuotesWhateverItHolds) {
  EXPECT_EQ(quoted_for_shell("plain"), "'plain'");
  EXPECT_EQ(quoted_for_shell(""), "''");
  EXPECT_EQ(quoted_for_shell("$HOME `ls` \"x\" \\ *"), "'$HOME `ls` \"x\" \\ *'");
}

TEST(ShellWord, LeavesItsQuotesForAQuoteOfItsOwn) {
  EXPECT_EQ(quoted_for_shell("it's"), "'it'\\''s'");
  EXPECT_EQ(quoted_for_shell("'"), "''\\'''");
}

TEST(ShellWord, ForAPersonHasQuotesOnlyWhereItNeedsThem) {
  EXPECT_EQ(word_for_shell("/runs/a-1/x.h5"), "/runs/a-1/x.h5");
  EXPECT_EQ(word_for_shell("/my runs/x"), "'/my runs/x'");
  EXPECT_EQ(word_for_shell(""), "''");
}

}  // namespace
}  // namespace kernmill
