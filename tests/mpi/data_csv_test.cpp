#include <algorithm>
#include <random>

#include <gmock/gmock.h>

#include "data_fixture.hpp"
#include "kernmill/tasks/data/read/csv_input.hpp"

namespace kernmill::tasks {
namespace {

class CsvShares : public Preprocessing {
 protected:
  /// The records that a rank reads.
  struct Share {
    std::string text;
    std::uint64_t first_line = 0;
  };
  Share share_of(CsvInput& input) {
    Share share;
    for (const auto& piece : input.records().pieces(comm))
      input.records().each_chunk(piece, [&](std::string_view text, std::uint64_t line) {
        if (share.text.empty()) share.first_line = line;
        share.text += text;
        return line + static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
      });
    return share;
  }
};

TEST_F(CsvShares, AreTheWholeFileWhateverStandsInItsQuotes) {
  std::mt19937 random(20261121);  // the same on every rank
  for (int trial = 0; trial < 60; ++trial) {
    std::string body;
    const int records = 1 + static_cast<int>(random() % 12);
    for (int i = 0; i < records; ++i) {
      const std::string filler(random() % 20, 'x');
      const char* ends[] = {"\n", "\r\n"};
      const std::string quoted[] = {"\"" + filler + "\n\n\"\"\n" + filler + "\"", filler, "\"\n\"",
                                    "\"\"\"\""};
      body += quoted[random() % 4] + ",1" + ends[random() % 2];
    }
    if (random() % 2 == 0) body.resize(body.find_last_not_of("\r\n") + 1);
    const auto file = directory / "shares.csv";
    put(file, "text,number\n" + body);
    CsvInput input(comm, open_input_files(comm, file, {directory}, 100), {',', true});
    input.records().chunk_bytes = 1 + random() % 64;
    const Share share = share_of(input);
    const auto all = comm.allgatherv(std::span<const char>(share.text));
    EXPECT_EQ(std::string(all.begin(), all.end()), body);
    const std::uint64_t below = comm.exscan(std::uint64_t{share.text.size()});
    const auto lines = std::count(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(below), '\n');
    if (!share.text.empty()) {
      EXPECT_EQ(share.first_line, static_cast<std::uint64_t>(lines) + 2);
    }
    MPI_Barrier(comm.handle());
  }
}

TEST_F(CsvShares, ARecordLongerThanARanksBytesBelongsToOneRank) {
  const std::string body = "\"" + std::string(200000, '\n') + "\",1\nb,2\n";
  put(directory / "long.csv", "text,number\n" + body);
  CsvInput input(comm, open_input_files(comm, directory / "long.csv", {directory}, 100), {',', true});
  input.records().chunk_bytes = 1000;
  const auto share = share_of(input);
  const auto all = comm.allgatherv(std::span<const char>(share.text));
  EXPECT_TRUE(std::string(all.begin(), all.end()) == body);
}

TEST_F(CsvShares, AHeaderMayBeQuotedAndLongAndBehindAMark) {
  const std::string name(100000, 'n');
  put(directory / "header.csv", "\xEF\xBB\xBF\n\"a\nb\"," + name + "\r\n1,2\r\n");
  const CsvHeader header = read_csv_header(InputFile(directory / "header.csv"), {',', true});
  EXPECT_EQ(header.names, (std::vector<std::string>{"a\nb", name}));
  EXPECT_EQ(header.data_line, 4U);
  EXPECT_EQ(header.data_begin, 3 + 1 + 5 + 1 + name.size() + 2);
}

using Csv = Preprocessing;

TEST_F(Csv, DecimalsMayStandBehindAComma) {
  const Json comma = {{"decimal", ","}, {"target", target("y")}};
  run_text("x;z;y\n3,14;-0,5;1,5\n2;\"1,25\";2\n1e3;,5;1\n", comma);
  const auto rows = rows_of(dataset(), storage::Part::train);
  EXPECT_THAT(rows.features, ::testing::ElementsAre(3.14, -0.5, 2, 1.25, 1000, 0.5));
  EXPECT_THAT(rows.target, ::testing::ElementsAre(1.5, 2, 1));
  EXPECT_EQ(dataset().schema().target_kind, storage::TargetKind::numbers);
  put(directory / "x.tsv", "x\ty\n3,14\ta\n2,5\tb\n");
  run(directory / "x.tsv", comma);
  EXPECT_THAT(rows_of(dataset(), storage::Part::train).features, ::testing::ElementsAre(3.14, 2.5));
}

TEST_F(Csv, DecimalsOfBothKindsAreNeverMixed) {
  const Json comma = {{"decimal", ","}};
  EXPECT_EQ(failure([&] { run_text("x;y\n1,5;2\n1.234;2\n", comma); }),
            "'1.234' in column 'x' has a decimal point, and `decimal` is a comma @ input.csv:3:1");
  EXPECT_EQ(failure([&] { run_text("x;y\n1,5;2\n1.234,5;2\n", comma); }),
            "'1.234,5' in column 'x' is not a number @ input.csv:3:1");
  EXPECT_EQ(failure([&] {
              run_text("x;y\n1;2\n2;1.234\n", {{"decimal", ","}, {"target", target("y")}});
            }),
            "'1.234' in column 'y' has a decimal point, and `decimal` is a comma @ input.csv:3:3");
  EXPECT_THAT(failure([&] {
                run_text("x,y\n1,2\n", {{"decimal", ","}, {"delimiter", ","}});
              }),
              ::testing::HasSubstr("the delimiter and the decimal sign are both a comma"));
  const auto help = [&](const std::string& text, const Json& changes) {
    try {
      run_text(text, changes);
    } catch (const TaskError& e) {
      return e.help;
    }
    return std::string();
  };
  EXPECT_THAT(help("x;y\n3,14;2\n", {{"delimiter", ";"}}), ::testing::HasSubstr("decimal: \",\""));
  EXPECT_THAT(help("x,y\n3,14,2,71\n", Json::object()), ::testing::HasSubstr("decimal: \",\""));
}

}  // namespace
}  // namespace kernmill::tasks
