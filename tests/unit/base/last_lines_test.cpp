#include "kernmill/base/last_lines.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using Lines = std::vector<std::string>;

/// A file is what it reads: there is no way around one here.
class LastLines : public ::testing::Test {
 protected:
  Lines of(const std::string& text, std::size_t count) {
    const auto file = directory_.path() / "log";
    std::ofstream(file) << text;
    return last_lines(file, count);
  }
  testing::TemporaryDirectory directory_;
};

TEST_F(LastLines, AreThoseAtTheEndInTheirOrder) {
  EXPECT_EQ(of("one\ntwo\nthree\n", 2), (Lines{"two", "three"}));
}

TEST_F(LastLines, AreAllWhereThereAreFewer) {
  EXPECT_EQ(of("one\ntwo\n", 5), (Lines{"one", "two"}));
  EXPECT_EQ(of("", 5), Lines{});
}

TEST_F(LastLines, LeaveBlankOnesOutAndTakeOneWithoutAnEnd) {
  EXPECT_EQ(of("one\n\n\ntwo", 2), (Lines{"one", "two"}));
}

TEST_F(LastLines, OfALongFileAreReadFromItsEndAlone) {
  std::string text = "the first line\n";
  for (int i = 0; i < 10'000; ++i) text += "0123456789\n";
  const Lines lines = of(text + "the last line\n", 1'000'000);
  EXPECT_LT(lines.size(), 64U * 1024 / 11 + 2) << "the first of them may have been cut";
  EXPECT_EQ(lines.back(), "the last line");
}

TEST_F(LastLines, OfNoFileAreNone) {
  EXPECT_EQ(last_lines(directory_.path() / "none", 3), Lines{});
}

}  // namespace
}  // namespace kernmill
