// `status`, `explain`, `logs` and `resume` of a run that is done, small and large, packed and not, with the
// snapshot of its journal and without: `bench_reading KERNMILL [SMALL [LARGE [ROUNDS]]]`. Goals: 300 ms each
// of 100,000 instances, 50 ms for `status` of 10,000.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kernmill/os/durable_file.hpp"
#include "kernmill/run/directory/plan_file.hpp"
#include "kernmill/run/directory/run_directory.hpp"
#include "kernmill/run/journal/events.hpp"
#include "kernmill/run/journal/run_view.hpp"
#include "measured.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::Cost;

Plan plan_of(unsigned instances) {
  Stage stage;
  stage.name = "all";
  stage.kind = TaskKind::command;
  stage.config = {{"run", "true"}, {"restart", ""}, {"inputs", Json::array()}, {"outputs", Json::array()}};
  Matrix::Axis axis{"i", {}};
  for (unsigned i = 0; i < instances; ++i) axis.values.emplace_back(i);
  stage.matrix.axes.push_back(std::move(axis));
  Workflow workflow;
  workflow.name = "reading";
  workflow.stages.push_back(std::move(stage));
  return Plan(std::move(workflow));
}

/// What the conductor's file has of an instance once it is gathered.
std::vector<Record> records_of(unsigned index, bool packed) {
  const events::Subject of{"all", index, 1};
  const ProcessIdentity process{4711, 815, "node-1"};
  const std::string job = packed ? "all.pack.0-6be54a" : fmt::format("all.{}.1-6be54a", index);
  if (packed)
    return {to_record(events::Started{of, job, process, "all.pack.0-6be54a.0.0"}),
            to_record(events::Committed{of})};
  return {to_record(events::Submitted{of, job, "a command without declared inputs and outputs always runs"}),
          to_record(events::Started{of, job, process}), to_record(events::StepStarted{of, process}),
          to_record(events::Committed{of})};
}

/// What is looked at by `logs`.
void write_log(const RunDirectory& run, unsigned index, bool packed) {
  const fs::path folder = packed ? run.slot("all", "all.pack.0-6be54a.0.0") : run.attempt("all", index, 1);
  fs::create_directories(folder);
  std::ofstream(folder / "out.log") << fmt::format("==> all[{}] attempt 1\nhello\n", index);
}

RunDirectory made_run(const fs::path& place, unsigned instances, bool packed) {
  RunDirectory run = create_run_directory(place, "reading", /*share_group=*/false);
  write_file_durably(run.workflow(), "name: reading\n");
  write_plan_file(run, plan_of(instances));
  JournalWriter journal(run.journal(), "conductor-1-1", 0, "conductor");
  journal.append(to_record(events::RunStarted{{1, 1, "node-1"}}));
  constexpr unsigned at_once = 1'000;
  for (unsigned first = 0; first < instances; first += at_once) {
    std::vector<Record> records;
    for (unsigned index = first; index < std::min(first + at_once, instances); ++index)
      for (Record& record : records_of(index, packed)) records.push_back(std::move(record));
    journal.append_all(records);
  }
  journal.append(to_record(events::RunFinished{"done"}));
  write_log(run, instances / 2, packed);
  return run;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// The medians of several times, and the most memory. Of CPU the figure means something on a busy machine,
/// too.
Cost measure(const std::vector<std::string>& words, unsigned rounds) {
  std::vector<double> seconds, cpu;
  Cost all;
  for (unsigned round = 0; round < rounds; ++round) {
    const Cost cost = testing::cost_of(words);
    if (cost.status != 0) fmt::print("{} ended with {}\n", words[1], cost.status), std::exit(1);
    seconds.push_back(cost.seconds);
    cpu.push_back(cost.cpu);
    all.peak_kb = std::max(all.peak_kb, cost.peak_kb);
  }
  all.seconds = median(seconds);
  all.cpu = median(cpu);
  return all;
}

std::string text(const Cost& cost) {
  return fmt::format("{:7.1f} ms ({:6.1f} of CPU) {:6.1f} MB", 1e3 * cost.seconds, 1e3 * cost.cpu,
                     static_cast<double>(cost.peak_kb) / 1024);
}

class Bench {
 public:
  Bench(std::string program, unsigned small, unsigned large, unsigned rounds)
      : program_(std::move(program)), small_(small), large_(large), rounds_(rounds) {}

  void run(bool packed) {
    const RunDirectory small = made_run(place_.path(), small_, packed);
    const RunDirectory large = made_run(place_.path(), large_, packed);
    for (const bool snapshot : {false, true}) {
      if (snapshot) keep_snapshot(small.journal(), Worth::grown);
      if (snapshot) keep_snapshot(large.journal(), Worth::grown);
      fmt::print("{}, {} snapshot\n", packed ? "packed" : "a job each", snapshot ? "with the" : "without a");
      for (const std::string command : {"status", "explain", "logs", "resume"})
        compare(command, small, large);
    }
  }

 private:
  void compare(const std::string& command, const RunDirectory& small, const RunDirectory& large) const {
    const Cost of_small = measure(words(command, small, small_), rounds_);
    const Cost of_large = measure(words(command, large, large_), rounds_);
    fmt::print("  {:8} {:7}: {}   {:7}: {}   {:5.1f} times\n", command, small_, text(of_small), large_,
               text(of_large), of_large.cpu / of_small.cpu);
  }
  [[nodiscard]] std::vector<std::string> words(const std::string& command, const RunDirectory& run,
                                               unsigned instances) const {
    std::vector<std::string> words{program_, command, run.root().string() + "/."};
    if (command == "logs") words.push_back(fmt::format("all.{}", instances / 2));
    return words;
  }

  std::string program_;
  unsigned small_, large_, rounds_;
  testing::TemporaryDirectory place_;
};

}  // namespace
}  // namespace kernmill

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: bench_reading KERNMILL [SMALL [LARGE [ROUNDS]]]\n");
    return 2;
  }
  const auto number = [&](int at, unsigned otherwise) {
    return argc > at ? static_cast<unsigned>(std::atoi(argv[at])) : otherwise;
  };
  kernmill::Bench bench(argv[1], number(2, 10'000), number(3, 100'000), number(4, 7));
  bench.run(/*packed=*/true);
  bench.run(/*packed=*/false);
}
