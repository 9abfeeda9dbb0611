// Reading a CSV file into memory on two ranks, beside pandas.read_csv with its C engine: `bench_ingest [MB
// [ROUNDS]]`. Both read the same file from the page cache and parse every number; neither's start-up counts.
// The rounds alternate. The goal is four times pandas on two ranks. Says so and stops where pandas is not
// installed.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>

#include <fmt/format.h>
#include <unistd.h>

#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/data/read/csv_input.hpp"
#include "rivals.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;
constexpr int columns = 20;

/// Numbers of the kinds that measurements have: 3 to 8 digits, with a point.
void write_table(const fs::path& file, std::size_t megabytes) {
  std::mt19937_64 random(1);
  std::FILE* out = std::fopen(file.c_str(), "wb");
  std::string text;
  for (int c = 0; c < columns; ++c) text += fmt::format("{}c{}", c > 0 ? "," : "", c);
  std::size_t written = 0;
  while (written < megabytes << 20U) {
    text += '\n';
    for (int c = 0; c < columns; ++c) {
      const auto digits = static_cast<double>(random() % 100'000'000);
      text +=
          fmt::format("{}{:.{}f}", c > 0 ? "," : "", (digits - 5e7) / (c % 2 == 0 ? 1e4 : 1e7), 2 + c % 5);
    }
    if (text.size() < std::size_t{1} << 20U) continue;
    written += std::fwrite(text.data(), 1, text.size(), out);
    text.clear();
  }
  text += '\n';
  std::fwrite(text.data(), 1, text.size(), out);
  std::fclose(out);
}

/// What a rank does: reads, and rank 0 prints the seconds.
int read_table(int argc, char** argv) {
  const MpiSession mpi(argc, argv);
  const fs::path file = argv[2];
  const Communicator comm = mpi.world();
  Selection selection;
  for (std::size_t c = 0; c < columns; ++c) selection.columns.push_back(Wanted{c});
  MPI_Barrier(comm.handle());
  const auto start = std::chrono::steady_clock::now();
  const CsvInput input(comm, open_input_files(comm, file, {file.parent_path()}, 100), {});
  const RawTable table = input.read(comm, selection, {std::uint64_t{4} << 30U, file.parent_path()});
  MPI_Barrier(comm.handle());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (comm.is_root()) fmt::print("{} {}\n", seconds.count(), table.total_rows);
  return 0;
}

/// What a command prints first: seconds.
double seconds_of(const std::string& command) {
  std::FILE* out = popen(command.c_str(), "r");
  double seconds = 0;
  if (out == nullptr || std::fscanf(out, "%lf", &seconds) != 1) seconds = 0;
  if (out != nullptr) pclose(out);
  return seconds;
}

int compare(const fs::path& self, std::size_t megabytes, int rounds) {
  if (std::system("/usr/bin/python3 -c 'import pandas' 2> /dev/null") != 0) {
    fmt::print("left out: needs the package python3-pandas\n");
    return 0;
  }
  const fs::path file = fs::temp_directory_path() / fmt::format("kernmill-ingest-{}.csv", getpid());
  write_table(file, megabytes);
  const double size = static_cast<double>(fs::file_size(file)) / 1e6;
  const auto kernmill = [&](int ranks) {
    return fmt::format("HYDRA_LAUNCHER=fork {} -n {} {} --read {}", KERNMILL_MPIEXEC, ranks, self.string(),
                       file.string());
  };
  const std::string pandas = fmt::format(
      "/usr/bin/python3 -c \"import pandas, time; t = time.perf_counter(); pandas.read_csv('{}', "
      "engine='c'); "
      "print(time.perf_counter() - t)\"",
      file.string());
  std::vector<double> one, two, theirs;
  for (int round = 0; round < rounds; ++round) {
    two.push_back(seconds_of(kernmill(2)));
    theirs.push_back(seconds_of(pandas));
    one.push_back(seconds_of(kernmill(1)));
    fmt::print("round {}: two ranks {:.0f} MB/s, one rank {:.0f} MB/s, pandas {:.0f} MB/s\n", round + 1,
               size / two.back(), size / one.back(), size / theirs.back());
  }
  fs::remove(file);
  fmt::print("{:.0f} MB, medians: two ranks {:.2f} times pandas, one rank {:.2f} times\n", size,
             median(theirs) / median(two), median(theirs) / median(one));
  return 0;
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--read") return kernmill::tasks::read_table(argc, argv);
  using kernmill::tasks::number_argument;
  return kernmill::tasks::compare(std::filesystem::canonical("/proc/self/exe"),
                                  number_argument(argc, argv, 1, 200),
                                  static_cast<int>(number_argument(argc, argv, 2, 5)));
}
