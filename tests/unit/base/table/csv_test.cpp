#include "kernmill/base/table/csv.hpp"

#include <gmock/gmock.h>

namespace kernmill {
namespace {

using ::testing::ElementsAre;

using Rows = std::vector<std::vector<std::string>>;

Rows parse(std::string_view text, char delimiter = ',') {
  CsvCursor cursor(text, delimiter, 1);
  std::vector<CsvField> record;
  Rows rows;
  while (cursor.next(record)) {
    rows.emplace_back();
    for (const auto& field : record) rows.back().push_back(field.text());
  }
  return rows;
}

/// "line:column message" of the CsvError.
std::string mistake(std::string_view text) {
  try {
    parse(text);
  } catch (const CsvError& e) {
    return std::to_string(e.place.line) + ":" + std::to_string(e.place.column) + " " + e.what();
  }
  return {};
}

TEST(Csv, LastLineNeedsNoLineBreak) {
  EXPECT_EQ(parse("a,b\n1,2"), (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("a,b\n1,2\n"), (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(parse("a,b\r\n1,2\r"), (Rows{{"a", "b"}, {"1", "2"}}));
}

TEST(Csv, CarriageReturnsBelongToTheLineBreak) {
  EXPECT_EQ(parse("a,b\r\n1,2\r\n"), (Rows{{"a", "b"}, {"1", "2"}}));
}

TEST(Csv, EmptyFieldsAreFields) {
  EXPECT_EQ(parse(",\n,,"), (Rows{{"", ""}, {"", "", ""}}));
  EXPECT_EQ(parse("\"\",x"), (Rows{{"", "x"}}));
}

TEST(Csv, BlankLinesAreNoRows) {
  EXPECT_EQ(parse("\n\na\r\n\r\nb\n\n"), (Rows{{"a"}, {"b"}}));
}

TEST(Csv, QuotesHoldDelimitersAndLineBreaks) {
  EXPECT_EQ(parse("\"a,b\",\"c\nd\"\ne,f"), (Rows{{"a,b", "c\nd"}, {"e", "f"}}));
}

TEST(Csv, DoubledQuotesAreOne) {
  EXPECT_EQ(parse("\"say \"\"yes\"\"\",\"\"\"\""), (Rows{{"say \"yes\"", "\""}}));
}

TEST(Csv, SpacesAreTrimmedOutsideQuotesOnly) {
  EXPECT_EQ(parse(" a ,\" b \"\n"), (Rows{{"a", " b "}}));
}

TEST(Csv, AnyCharacterCanDelimit) {
  EXPECT_EQ(parse("a;b,c\t", ';'), (Rows{{"a", "b,c"}}));
}

TEST(Csv, PlacesCountCharactersAndLinesInsideQuotes) {
  CsvCursor cursor("\"ä\n\",ö,x\ny", ',', 7);
  std::vector<CsvField> record;
  ASSERT_TRUE(cursor.next(record));
  EXPECT_EQ(record[0].place.line, 7U);
  EXPECT_EQ(record[1].place.line, 8U);
  EXPECT_EQ(record[1].place.column, 3U);
  EXPECT_EQ(record[2].place.column, 5U);
  ASSERT_TRUE(cursor.next(record));
  EXPECT_EQ(record[0].place.line, 9U);
}

TEST(Csv, AnUnclosedQuoteIsToldWhereItOpens) {
  EXPECT_EQ(mistake("a,b\n1,\"2\n3,4\n"), "2:3 a quoted field that is never closed");
}

TEST(Csv, TextAfterAQuotedFieldIsToldWhereItBegins) {
  EXPECT_EQ(mistake("\"a\"b,c"), "1:4 text after a quoted field");
}

TEST(Csv, AQuoteInsideAPlainFieldIsToldWhereItIs) {
  EXPECT_EQ(mistake("a,5\" disk"), "1:4 a quote inside a field that does not begin with one");
}

TEST(Csv, ARecordEndsAtALineBreakOutsideQuotes) {
  bool in_quotes = false;
  EXPECT_EQ(end_of_record("\"a\nb\"\nc", in_quotes), 6U);
  EXPECT_EQ(end_of_record("\"a\nb", in_quotes), std::string_view::npos);
  EXPECT_TRUE(in_quotes);
  EXPECT_EQ(end_of_record("\nb\"\nc", in_quotes), 4U);
}

std::string reason(std::string_view text) {
  double value = 0;
  return parse_number(text, value);
}

double number(std::string_view text) {
  double value = -999;
  EXPECT_EQ(parse_number(text, value), "") << text;
  return value;
}

TEST(Number, IsReadWholeInItsUsualForms) {
  EXPECT_EQ(number("5.1"), 5.1);
  EXPECT_EQ(number(" +5.1\t"), 5.1);
  EXPECT_EQ(number("-.5"), -0.5);
  EXPECT_EQ(number("1e-3"), 1e-3);
  EXPECT_EQ(number("0.1"), 0.1);
  EXPECT_EQ(number("010"), 10);
}

TEST(Number, IsNothingElse) {
  for (const char* text :
       {"abc", "1,5", "1.2.3", "0x10", "1e", "+-1", "++1", "+", "-", ".", "1 2", "12abc", "1_000"})
    EXPECT_EQ(reason(text), "is not a number") << text;
}

TEST(Number, IsFinite) {
  for (const char* text : {"nan", "NaN", "NAN", "inf", "-inf", "+Infinity", "NA", "-nan"})
    EXPECT_EQ(reason(text), "is not a finite number") << text;
}

TEST(Number, IsThereAndInRange) {
  EXPECT_EQ(reason(""), "is empty");
  EXPECT_EQ(reason("  "), "is empty");
  EXPECT_EQ(reason("1e999"), "is beyond the range of a double");
}

TEST(Csv, ReadsTheFieldsThatItWrites) {
  for (const std::string text : {"plain", "", "a,b", "say \"no\"", " led", "trailed ", "two\nlines", "\r"}) {
    const std::string line = "first," + csv_field(text) + "\n";
    CsvCursor cursor(line, ',', 1);
    std::vector<CsvField> record;
    ASSERT_TRUE(cursor.next(record)) << line;
    ASSERT_EQ(record.size(), 2U) << line;
    EXPECT_EQ(record[1].text(), text);
  }
}

TEST(Csv, TellsUtf8FromOtherBytes) {
  for (const char* text :
       {"", "plain", "na\xC3\xAFve", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (const char* bytes : {"na\xEFve", "\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                            "\xE2\x82", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3("})
    EXPECT_FALSE(is_utf8(bytes)) << bytes;
}

}  // namespace
}  // namespace kernmill
