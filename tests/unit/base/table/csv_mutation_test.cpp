#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "kernmill/base/table/csv.hpp"

/// Many small damages to good CSV, from a fixed seed: the reader answers each with rows or with a CsvError
/// whose place lies in the text, never otherwise.
namespace kernmill {
namespace {

const std::string good =
    "name,size,\"a \"\"b\"\"\"\r\n\"x\ny\",1.5,z\r\n\xEF\xBB\xBF,,\"\"\r\nlast,-2e3,\"q,r\"";

std::string mutated(std::mt19937& random) {
  std::string text = good;
  const std::string alphabet = "\",\n\r\t 0aE+-.\xFF" + std::string(1, '\0');
  const int changes = 1 + static_cast<int>(random() % 6);
  for (int i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = random() % text.size();
    switch (random() % 4) {
      case 0:
        text[at] = alphabet[random() % alphabet.size()];
        break;
      case 1:
        text.insert(at, 1, alphabet[random() % alphabet.size()]);
        break;
      case 2:
        text.erase(at, 1 + random() % 5);
        break;
      default:
        text += text.substr(at);
    }
  }
  return text;
}

std::uint64_t lines_in(const std::string& text) {
  return 1 + static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

/// The number of rows; the line of the mistake in `error_line` (0: none).
std::size_t read(std::string_view text, std::uint64_t first_line, std::uint64_t& error_line) {
  CsvCursor cursor(text, ',', first_line);
  std::vector<CsvField> record;
  std::size_t rows = 0, before = 0;
  error_line = 0;
  try {
    while (cursor.next(record)) {
      EXPECT_FALSE(record.empty());
      EXPECT_GT(cursor.position(), before) << "it must get on";
      before = cursor.position();
      double value = 0;
      for (const auto& field : record) parse_number(field.text(), value);
      ++rows;
    }
    EXPECT_EQ(cursor.position(), text.size());
  } catch (const CsvError& e) {
    error_line = e.place.line;
  }
  return rows;
}

TEST(CsvMutation, NothingCrashesOrLoopsAndEveryMistakeHasAPlace) {
  std::mt19937 random(20261121);
  int mistakes = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutated(random);
    std::uint64_t error_line = 0;
    read(text, 1, error_line);
    EXPECT_LE(error_line, lines_in(text));
    mistakes += error_line > 0 ? 1 : 0;
  }
  EXPECT_GT(mistakes, 1000);
  EXPECT_LT(mistakes, 19000);
}

TEST(CsvMutation, CutAtAnyRecordTheTwoHalvesReadAsTheWhole) {
  std::mt19937 random(7);
  for (int i = 0; i < 5000; ++i) {
    const std::string text = mutated(random);
    std::uint64_t whole_error = 0, first_error = 0, second_error = 0;
    const std::size_t rows = read(text, 1, whole_error);
    const std::size_t from = random() % (text.size() + 1);
    bool in_quotes = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(from), '"') % 2 == 1;
    const std::size_t end = end_of_record(std::string_view(text).substr(from), in_quotes);
    if (whole_error > 0 || end == std::string_view::npos) continue;
    const std::string_view first = std::string_view(text).substr(0, from + end);
    const std::size_t in_first = read(first, 1, first_error);
    const std::size_t in_second =
        read(std::string_view(text).substr(from + end), lines_in(std::string(first)), second_error);
    EXPECT_EQ(first_error + second_error, 0U);
    EXPECT_EQ(in_first + in_second, rows);
  }
}

}  // namespace
}  // namespace kernmill
