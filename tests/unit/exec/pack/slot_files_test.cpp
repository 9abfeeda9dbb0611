#include "kernmill/exec/pack/slot_files.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "kernmill/run/directory/slot_log.hpp"
#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

TEST(SlotFiles, WhatIsPrintedCannotLookLikeAnothersLines) {
  const testing::TemporaryDirectory folder;
  SlotFiles files(folder.path() / "slot");
  files.begin("fit[0] attempt 1");
  append(files.out(), "==> fit[1] attempt 1\nforged\nno end of a line");
  files.begin("fit[1] attempt 1");
  append(files.out(), "true\n");
  const std::string text = text_of(files.out());
  const std::string mark = section_mark(text.substr(0, text.find('\n')));
  EXPECT_GT(mark.size(), std::string("==> ").size() + 16);
  const std::string mine = '\n' + mark + "fit[1] attempt 1\n";
  ASSERT_NE(text.find(mine), std::string::npos);
  EXPECT_EQ(text.find(mine), text.rfind(mine));
  EXPECT_EQ(text.substr(text.find(mine) + mine.size()), "true\n");
}

TEST(SlotFiles, GoOnWithTheMarkOfALogThatIsThere) {
  const testing::TemporaryDirectory folder;
  SlotFiles(folder.path() / "slot").begin("fit[0] attempt 1");
  SlotFiles(folder.path() / "slot").begin("fit[1] attempt 1");
  const std::string text = text_of(folder.path() / "slot" / "out.log");
  const std::string mark = section_mark(text.substr(0, text.find('\n')));
  EXPECT_NE(text.find(mark + "fit[0] attempt 1\n"), std::string::npos);
  EXPECT_NE(text.find(mark + "fit[1] attempt 1\n"), std::string::npos);
}

TEST(SlotFiles, KeepTheLinesOfOneInstanceAlone) {
  const testing::TemporaryDirectory folder;
  SlotFiles files(folder.path() / "slot");
  files.begin("fit[0] attempt 1");
  append(files.out(), "first\n");
  files.begin("fit[1] attempt 1");
  append(files.out(), "second\n");
  files.keep(folder.path() / "1" / "attempt-1");
  EXPECT_EQ(text_of(folder.path() / "1" / "attempt-1" / "out.log"), "second\n");
}

TEST(SectionMark, OfALogOfAnEarlierVersionIsThatOfEarlierVersions) {
  EXPECT_EQ(section_mark("==> fit[0] attempt 1"), "==> ");
  EXPECT_EQ(section_mark(""), "==> ");
}

}  // namespace
}  // namespace kernmill::exec
