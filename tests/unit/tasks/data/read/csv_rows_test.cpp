#include "kernmill/tasks/data/read/csv_rows.hpp"

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernmill/tasks/data/read/record_files.hpp"
#include "kernmill/tasks/support/task_error.hpp"

/// The fast path has to say what the slow one says, of good rows and of bad ones.
namespace kernmill::tasks {
namespace {

const std::vector<std::string> names{"a", "b", "c"};

/// What the rows say, or the error.
std::string told(const std::string& text, bool twice, OnBadRow on_bad_row, CsvFormat format = {}) {
  Selection selection;
  selection.on_bad_row = on_bad_row;
  selection.columns = {Wanted{0}, Wanted{1}, Wanted{2}};
  selection.columns[1].text = true;
  selection.columns[1].may_be_missing = selection.columns[2].may_be_missing = true;
  if (twice) selection.columns.push_back(selection.columns[2]);  // turns the fast path off
  RawTable table(selection, {1 << 16, "."});
  std::string said;
  try {
    CsvRows("x.csv", names, format, selection, table).read(text, 7);
  } catch (const TaskError& e) {
    return e.where + " " + e.what();
  }
  table.rows.each_block([&](std::uint64_t, std::span<const double> rows) {
    for (std::size_t i = 0; i < rows.size(); i += table.rows.width()) {
      said += std::to_string(rows[i]) + "|";
      said += std::isnan(rows[i + 1])
                  ? "?"
                  : table.dictionaries[1].texts().at(static_cast<std::size_t>(rows[i + 1]));
      said += "|" + std::to_string(std::bit_cast<std::uint64_t>(rows[i + 2])) + "|" +
              std::to_string(rows[i + table.rows.width() - 1]) + "\n";
    }
  });
  for (const auto& bad : table.rejected)
    said += std::to_string(bad.row) + " " + std::to_string(bad.place.line) + ":" +
            std::to_string(bad.place.column) + " " + bad.column + " " + bad.value + " " + bad.reason + "\n";
  return said;
}

TEST(CsvRows, TellTheSameByBothPaths) {
  std::mt19937 random(20261121);
  const std::vector<std::string> fields{"1",
                                        "-2.5",
                                        "0.1",
                                        "1e3",
                                        "12345678901234567890.5",
                                        "nan",
                                        "",
                                        "NA",
                                        "\"x\"",
                                        "\"a,b\"",
                                        "\"\n\"",
                                        "\"say \"\"x\"\"\"",
                                        " 3 ",
                                        "+4",
                                        "text",
                                        "é",
                                        "0x1",
                                        "1.",
                                        ".5",
                                        "-",
                                        "1e400",
                                        "9007199254740993",
                                        "a longer text of words",
                                        "sixteen letters.",
                                        "Ann",
                                        "Ben\r"};
  for (int trial = 0; trial < 3000; ++trial) {
    std::string text;
    for (int row = 0; row < 4; ++row) {
      const std::size_t columns = random() % 12 == 0 ? 2 : 3;
      for (std::size_t c = 0; c < columns; ++c)
        text += (c > 0 ? "," : "") +
                (random() % 3 == 0 ? fields[random() % fields.size()] : std::to_string(random() % 100));
      text += random() % 2 == 0 ? "\n" : random() % 2 == 0 ? "\r\n" : "\n\n";
    }
    if (random() % 4 == 0) text.resize(text.size() - 1);
    for (const OnBadRow policy : {OnBadRow::error, OnBadRow::skip})
      for (const CsvFormat& format : {CsvFormat{}, CsvFormat{';', true, ','}}) {
        std::string with_signs = text;
        if (format.delimiter == ';')
          for (char& c : with_signs) c = c == ',' ? ';' : c == '.' && random() % 4 > 0 ? ',' : c;
        ASSERT_EQ(told(with_signs, false, policy, format), told(with_signs, true, policy, format))
            << with_signs;
      }
  }
}

TEST(CsvRows, ReadEveryDoubleAsStrtodDoesAndNoWholeNumberThatIsNone) {
  std::mt19937_64 random(7);
  Selection selection;
  selection.columns = {Wanted{0}};
  selection.on_bad_row = OnBadRow::skip;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string digits = std::to_string(random() >> (random() % 60));
    if (random() % 2 == 0) digits.insert(random() % (digits.size() + 1), ".");
    if (random() % 2 == 0) digits.insert(0, "-");
    RawTable table(selection, {1 << 10, "."});
    const std::uint64_t more = trial % 2 == 0 ? 0 : 20;  // near the end of a text it is read in another way
    std::string text = digits + "\n";
    for (std::uint64_t i = 0; i < more; ++i) text += "0\n";
    CsvRows("x.csv", {"a"}, {}, selection, table).read(text, 1);
    const double expected = std::strtod(digits.c_str(), nullptr);
    table.rows.each_block([&](std::uint64_t first, std::span<const double> rows) {
      if (first == 0 && table.rejected.empty()) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(rows[0]), std::bit_cast<std::uint64_t>(expected)) << digits;
      }
    });
    const bool lost = digits.find('.') == std::string::npos &&
                      fmt::format("{:.0f}", std::strtod(digits.c_str(), nullptr)) != digits;
    EXPECT_EQ(table.rows.rows(), (lost ? 0U : 1U) + more) << digits;
  }
}

TEST(CutAtRecord, FindsTheFirstEndBehindTheLimitOrTheLastOne) {
  const std::string_view text = "ab\n\"c\nd\"\nef\ng";
  EXPECT_EQ(cut_at_record(text, 1), 3U);
  EXPECT_EQ(cut_at_record(text, 3), 3U);
  EXPECT_EQ(cut_at_record(text, 4), 9U);
  EXPECT_EQ(cut_at_record(text, 10), 12U);
  EXPECT_EQ(cut_at_record(text, 100), 12U);
  EXPECT_EQ(cut_at_record(text, 4, false), 6U);
  EXPECT_EQ(cut_at_record("abc", 1), 0U);
  EXPECT_EQ(cut_at_record("\"abc\n", 1), 0U);
}

}  // namespace
}  // namespace kernmill::tasks
