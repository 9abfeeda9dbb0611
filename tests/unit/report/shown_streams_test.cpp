#include "kernmill/report/shown_streams.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

std::string filtered(std::string_view text, Colours colours = Colours::none) {
  TerminalFilter filter;
  filter.colours = colours;
  return filter(text);
}

TEST(TerminalFilter, TakesOutWhatSteersATerminal) {
  EXPECT_EQ(filtered("plain \xC3\xA9 \tand\nlines\n"), "plain \xC3\xA9 \tand\nlines\n");
  EXPECT_EQ(filtered("\x1b]0;title\x07"), "\uFFFD]0;title\uFFFD");
  EXPECT_EQ(filtered("\x1b[2J\x1b[31m"), "\uFFFD[2J\uFFFD[31m");
  EXPECT_EQ(filtered("a\x08\x7F\xC2\x9B"), "a\uFFFD\uFFFD\uFFFD");              // C1, too
  EXPECT_EQ(filtered("\u202Egpj.\u202C \u2066x"), "\uFFFDgpj.\uFFFD \uFFFDx");  // writing turned around
  EXPECT_EQ(filtered("\xFF\xC3("), "\uFFFD\uFFFD(");
}

TEST(TerminalFilter, MakesLineEndsOfCarriageReturns) {
  EXPECT_EQ(filtered("one\r\ntwo\rthree\n"), "one\ntwo\nthree\n");
}

TEST(TerminalFilter, LetsColoursThroughWhereTheyAreOn) {
  EXPECT_EQ(filtered("\x1b[1;31merror\x1b[0m", Colours::ours), "\x1b[1;31merror\x1b[0m");
  EXPECT_EQ(filtered("\x1b[8mhidden\x1b[2K", Colours::ours), "\uFFFD[8mhidden\uFFFD[2K");
  EXPECT_EQ(filtered("\x1b[38;5;9mred\x1b[1A", Colours::any), "\x1b[38;5;9mred\uFFFD[1A");
}

TEST(TerminalFilter, JoinsWhatComesInPieces) {
  TerminalFilter filter;
  filter.colours = Colours::ours;
  std::string all;
  for (const char c : std::string("\x1b[31m\xE2\x82\xAC\r\n\x1b[2Jx")) all += filter(std::string_view(&c, 1));
  EXPECT_EQ(all, "\x1b[31m\xE2\x82\xAC\n\uFFFD[2Jx");
}

}  // namespace
}  // namespace kernmill
