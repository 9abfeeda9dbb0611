#include "kernmill/report/table.hpp"

#include <gtest/gtest.h>

#include "kernmill/report/paint.hpp"

namespace kernmill {
namespace {

TEST(Table, AlignsColumnsAndLeavesNoTrailingBlanks) {
  TextTable table({TextTable::Align::left, TextTable::Align::right});
  table.row({"a", "1"});
  table.row({"long", "100", "x"});
  EXPECT_EQ(table.text(), "a       1\nlong  100  x\n");
}

TEST(Table, CountsColourAsNothing) {
  TextTable table;
  table.row({Paint(true)(Color::red, "ab"), "c"});
  table.row({"abc", "d"});
  EXPECT_EQ(table.text(), Paint(true)(Color::red, "ab") + "   c\nabc  d\n");
}

TEST(Table, CountsACharacterBeyondAsciiAsOne) {
  EXPECT_EQ(display_width("größe"), 5U);
}

TEST(Paint, LeavesTextAloneWhenItIsOff) {
  EXPECT_EQ(Paint(false)(Color::red, "x"), "x");
}

}  // namespace
}  // namespace kernmill
