#include "kernmill/workflow/text/line_index.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace kernmill {
namespace {

TEST(LineIndex, CountsCharactersNotBytesAndInvalidBytesOneByOne) {
  const std::string text = "a\u00e9\u20acz\n\U0001f600x\xff!\nlast";
  const LineIndex lines(text);
  std::uint32_t line = 1, column = 1;
  for (std::size_t at = 0; at < text.size(); ++column) {
    SCOPED_TRACE("byte " + std::to_string(at));
    const Where where = lines.where(nullptr, at, 1);
    EXPECT_EQ(where.line, line);
    EXPECT_EQ(where.column, column);
    EXPECT_EQ(lines.offset(where), at);
    if (text[at] == '\n') ++line, column = 0;
    const auto point = decode(std::string_view(text).substr(at));
    at += point ? point->bytes : 1;
  }
}

TEST(LineIndex, APlaceBehindTheEndIsTheEnd) {
  const std::string text = "ab\nc";
  const LineIndex lines(text);
  Where where;
  where.line = 7, where.column = 3;
  EXPECT_EQ(lines.offset(where), text.size());
  where.line = 2, where.column = 30;
  EXPECT_EQ(lines.offset(where), text.size());
}

}  // namespace
}  // namespace kernmill
