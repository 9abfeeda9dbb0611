// Reading a CSV file into memory on two ranks, beside pandas.read_csv with its C engine and Arrow's reader
// with two threads: `bench_ingest [MB [ROUNDS]]`. All read the same file from the page cache and parse every
// number; nobody's start-up counts. The rounds alternate. The goal is five times pandas on two ranks.
// KERNMILL_PYTHON is a python that has them (default /usr/bin/python3); a rival that it does not have is left
// out.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <utility>
#include <vector>

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

/// A python program that reads the file and prints the seconds; empty where it has no such module.
struct Rival {
  const char* name;
  const char* module;
  const char* read;
};
constexpr std::array rivals{
    Rival{"pandas", "pandas", "pandas.read_csv(file, engine='c')"},
    Rival{"arrow", "pyarrow.csv",
          "pyarrow.set_cpu_count(2); t = time.perf_counter(); pyarrow.csv.read_csv(file)"}};

std::string python() {
  const char* const own = std::getenv("KERNMILL_PYTHON");
  return own == nullptr ? "/usr/bin/python3" : own;
}

bool is_there(const Rival& rival) {
  return std::system(fmt::format("{} -c 'import {}' 2> /dev/null", python(), rival.module).c_str()) == 0;
}

std::string command_of(const Rival& rival, const fs::path& file) {
  return fmt::format(
      "{} -c \"import {}, time; file = '{}'; t = time.perf_counter(); {}; print(time.perf_counter() - t)\"",
      python(), rival.module, file.string(), rival.read);
}

int compare(const fs::path& self, std::size_t megabytes, int rounds) {
  const fs::path file = fs::temp_directory_path() / fmt::format("kernmill-ingest-{}.csv", getpid());
  write_table(file, megabytes);
  const double size = static_cast<double>(fs::file_size(file)) / 1e6;
  std::vector<std::pair<std::string, std::string>> commands;
  for (const int ranks : {2, 1})
    commands.emplace_back(ranks == 2 ? "two ranks" : "one rank",
                          fmt::format("HYDRA_LAUNCHER=fork {} -n {} {} --read {}", KERNMILL_MPIEXEC, ranks,
                                      self.string(), file.string()));
  for (const Rival& rival : rivals)
    if (is_there(rival))
      commands.emplace_back(rival.name, command_of(rival, file));
    else
      fmt::print("{} is left out: {} has no {}\n", rival.name, python(), rival.module);
  std::vector<std::vector<double>> seconds(commands.size());
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < commands.size(); ++i) seconds[i].push_back(seconds_of(commands[i].second));
  fs::remove(file);
  fmt::print("{:.0f} MB, medians of {}:\n", size, rounds);
  for (std::size_t i = 0; i < commands.size(); ++i)
    fmt::print("{:10} {:6.0f} MB/s, two ranks are {:.2f} times as fast\n", commands[i].first,
               size / median(seconds[i]), median(seconds[i]) / median(seconds[0]));
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
