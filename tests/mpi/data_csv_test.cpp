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

}  // namespace
}  // namespace kernmill::tasks
