// `kernmill run` of instances that do nothing, packed and one job each, in turn with a bare loop of
// posix_spawn over the same program, as wide, and with xargs: `bench_instances KERNMILL [INSTANCES [WIDTH
// [ROUNDS]]]`. Goals: packed at least 0.7 of the loop, unpacked at least 150 a second, and the last thousand
// as fast as the first (0.9), whatever the number.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare_loop.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/journal.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::Clock;
using testing::seconds_since;

struct Measure {
  double rate = 0;    ///< instances a second
  double steady = 0;  ///< the rate of the last thousand over that of the first; 0: not known
  long peak_kb = 0;   ///< of kernmill
  double status = 0;  ///< seconds of `kernmill status`
};

int run_words(std::vector<std::string> words, long* peak_kb = nullptr) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  if (::posix_spawnp(&child, argv[0], &quiet, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&quiet);
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  if (peak_kb != nullptr) *peak_kb = used.ru_maxrss;
  return status;
}

Measure xargs(const fs::path& place, unsigned instances, unsigned width) {
  std::ofstream list(place / "list");
  for (unsigned i = 0; i < instances; ++i) list << i << '\n';
  list.close();
  const auto start = Clock::now();
  run_words({"xargs", "-a", (place / "list").string(), "-P", std::to_string(width), "-n", "1", "/bin/true"});
  return {instances / seconds_since(start)};
}

/// When each instance committed, in the order of time.
std::vector<std::string> commit_times(const RunDirectory& run) {
  std::vector<std::string> times;
  for (const auto& [key, instance] : fold_journal(run.journal()).instances)
    if (instance.committed) times.push_back(instance.attempts.back().ended_at);
  std::sort(times.begin(), times.end());
  return times;
}

double seconds_in(const std::string& time) {  // of its day
  return std::stod(time.substr(11, 2)) * 3600 + std::stod(time.substr(14, 2)) * 60 +
         std::stod(time.substr(17, 6));
}

Measure kernmill(const std::string& program, const fs::path& place, unsigned instances, unsigned width,
                 const std::string& pack) {
  const fs::path flow = place / ("flow-" + pack + ".yaml");
  std::ofstream file(flow);
  file << "name: many\nstages:\n  a:\n    run: 'true'\n    pack: " << pack << "\n    matrix:\n      i:\n";
  for (unsigned i = 0; i < instances; ++i) file << "        - " << i << '\n';
  file.close();
  const fs::path runs = place / ("runs-" + pack);
  Measure measure;
  const auto start = Clock::now();
  const int status = run_words(
      {program, "run", flow.string(), "--quiet", "--runs", runs.string(), "--cores", std::to_string(width)},
      &measure.peak_kb);
  measure.rate = instances / seconds_since(start);
  if (status != 0) fmt::print("kernmill run ended with {}\n", status), std::exit(1);
  const RunDirectory run = list_runs(runs).back();
  const auto times = commit_times(run);
  if (times.size() >= 2'000) {
    const double first = seconds_in(times[999]) - seconds_in(times.front());
    const double last = seconds_in(times.back()) - seconds_in(times[times.size() - 1'000]);
    measure.steady = first / last;
  }
  const auto asked = Clock::now();
  run_words({program, "status", run.root().string() + "/."});
  measure.status = seconds_since(asked);
  return measure;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace
}  // namespace kernmill

int main(int argc, char** argv) {
  using namespace kernmill;
  if (argc < 2) {
    fmt::print("usage: bench_instances KERNMILL [INSTANCES [WIDTH [ROUNDS]]]\n");
    return 2;
  }
  const std::string program = argv[1];
  const auto number = [&](int at, unsigned otherwise) {
    return argc > at ? static_cast<unsigned>(std::atoi(argv[at])) : otherwise;
  };
  const unsigned instances = number(2, 10'000), width = number(3, 2), rounds = number(4, 3);
  const testing::TemporaryDirectory place;
  std::map<std::string, std::vector<double>> rates;
  for (unsigned round = 0; round < rounds; ++round) {
    const std::map<std::string, Measure> all{
        {"1 loop", {testing::bare_loop(instances, width)}},
        {"2 xargs", xargs(place.path(), instances, width)},
        {"3 packed", kernmill::kernmill(program, place.path(), instances, width, "auto")},
        {"4 unpacked", kernmill::kernmill(program, place.path(), instances, width, "1")}};
    for (const auto& [name, measure] : all) {
      rates[name].push_back(measure.rate);
      fmt::print("{:12} {:8.1f}/s  last/first {:4.2f}  peak {:6} KB  status {:5.3f} s\n", name, measure.rate,
                 measure.steady, measure.peak_kb, measure.status);
    }
  }
  const double loop = median(rates["1 loop"]);
  for (const auto& [name, values] : rates)
    fmt::print("{:12} median {:8.1f}/s, {:4.2f} of the loop\n", name, median(values), median(values) / loop);
}
