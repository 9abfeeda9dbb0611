#include "kernmill/base/table/table_header.hpp"

#include <algorithm>

#include <gmock/gmock.h>

namespace kernmill {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

CsvHeader header_of(const std::string& text, CsvFormat format = {}) {
  const auto read = [&](std::uint64_t offset, std::uint64_t count) {
    return text.substr(std::min<std::uint64_t>(offset, text.size()), count);
  };
  return read_csv_header(read, "t.csv", format);
}

std::string mistake(const std::string& text) {
  try {
    header_of(text);
  } catch (const TableError& e) {
    return std::string(e.what()) + " @ " + e.where + " > " + e.help;
  }
  return "none";
}

TEST(TableHeader, NamesAreFieldsOfTheFirstRecord) {
  EXPECT_THAT(header_of("a,\"b, c\"\n1,2\n").names, ElementsAre("a", "b, c"));
  const CsvHeader later = header_of("\xEF\xBB\xBF\n\"x\ny\",z\r\n1,2\n");
  EXPECT_THAT(later.names, ElementsAre("x\ny", "z"));
  EXPECT_EQ(later.data_line, 4U);
  EXPECT_THAT(header_of("1,2\n", {',', false}).names, ElementsAre("c0", "c1"));
}

TEST(TableHeader, AnotherEncodingIsCalledByItsName) {
  const std::string advice = " @ t.csv:1:1 > convert the file: iconv -f UTF-16 -t utf-8 OLD > NEW";
  for (const std::string& text : {"\xFF\xFEx\0,\0y\0\n\0"s, "\xFE\xFF\0x\0,\0y\0\n"s, "x\0,\0y\0\n\0"s})
    EXPECT_EQ(mistake(text), "t.csv is not UTF-8 text, but UTF-16" + advice);
  EXPECT_THAT(mistake("\xFF\xFE\0\0x\0\0\0"s), ::testing::HasSubstr("but UTF-32"));
}

TEST(TableHeader, AnotherFormatIsCalledByItsName) {
  EXPECT_EQ(mistake("PAR1....\n"),
            "t.csv is no CSV file, but a Parquet file @  > save it as CSV, or as a table in HDF5");
}

TEST(TableHeader, ANameTellsTheFormatAndTheDelimiter) {
  EXPECT_EQ(format_of("auto", "a/b.svm.gz"), "libsvm");
  EXPECT_EQ(format_of("auto", "train-images-idx3-ubyte"), "idx");
  EXPECT_EQ(format_of("auto", "b.tsv"), "csv");
  EXPECT_EQ(format_of("tsv", "b.txt"), "tsv");
  EXPECT_EQ(delimiter_of("auto", "csv", "b.tab.gz"), '\t');
  EXPECT_EQ(delimiter_of("auto", "tsv", "b.txt"), '\t');
  EXPECT_EQ(delimiter_of("auto", "csv", "b.csv"), ',');
  EXPECT_EQ(delimiter_of(";", "csv", "b.tsv"), ';');
  EXPECT_THROW(delimiter_of("ab", "csv", "b.csv"), TableError);
}

TEST(TableHeader, ALineWithoutAnEndIsNotReadToItsEnd) {
  std::uint64_t most = 0;
  const auto read = [&](std::uint64_t offset, std::uint64_t count) {
    most = std::max(most, offset + count);
    return std::string(count, 'x');
  };
  EXPECT_THROW(read_csv_header(read, "/dev/of-no-end", {}), TableError);
  EXPECT_LT(most, std::uint64_t{20} << 20U);
}

TEST(TableHeader, HasNotMoreColumnsThanCanBeNamed) {
  EXPECT_EQ(mistake(std::string(std::size_t{1} << 20U, ',') + "\n1\n"),
            "t.csv has more than 1048576 columns @ t.csv:1:1 > save a table that is so wide as an array: "
            ".npy or HDF5");
}

}  // namespace
}  // namespace kernmill
