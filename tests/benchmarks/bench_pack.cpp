// Packed instances of a program that does nothing, beside a bare loop of posix_spawn over the same program,
// as wide: `bench_pack [INSTANCES [SLOTS]]`. What the pack does besides: journal, logs, a directory for each,
// limits, pinning. We promise 0.7 of the loop.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare_loop.hpp"
#include "kernmill/exec/pack/pack.hpp"
#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using testing::bare_loop;
using testing::Clock;
using testing::seconds_since;

/// Processor time of this process alone.
double own_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Instances a second; `own`: processor time of the pack itself for each.
double packed(const fs::path& place, const std::string& command, unsigned instances, unsigned slots,
              double& own) {
  Stage stage;
  stage.name = "s";
  stage.config = {{"run", command}};
  Matrix::Axis axis{"i", {}};
  for (unsigned i = 0; i < instances; ++i) axis.values.emplace_back(i);
  stage.matrix.axes = {axis};
  Workflow workflow;
  workflow.name = "bench";
  workflow.base_directory = place.string();
  workflow.stages = {stage};
  const Plan plan(workflow);
  const RunDirectory run = create_run_directory(place / "runs", "bench", false);
  ArrayPlan array;
  array.instances = IndexRanges(0, instances - 1);
  array.pack = instances;
  array.slots = slots;
  array.resources.cpus_per_task = static_cast<int>(slots);
  exec::StopRequests stop;
  JournalWriter journal(run.journal(), "1_0", 0, "exec");
  exec::PackOptions options{run, plan, array};
  options.instances = exec::left_to_run(plan, array, 0, 1, {});
  options.job = "1_0";
  const auto start = Clock::now();
  const double own_before = own_seconds();
  if (exec::run_pack(options, CommitTable(plan), journal, stop) != 0) std::abort();
  const double rate = instances / seconds_since(start);
  own = (own_seconds() - own_before) / instances;
  const RunRecord record = fold_journal(run.journal());
  std::size_t committed = 0;
  for (const auto& [key, instance] : record.instances) committed += instance.committed ? 1 : 0;
  if (committed != instances) std::abort();
  return rate;
}

int compare(unsigned instances, unsigned slots) {
  const testing::TemporaryDirectory directory;
  fmt::print("{} instances, {} side by side\n", instances, slots);
  for (int round = 0; round < 3; ++round) {
    const double bare = bare_loop(instances, slots);
    for (const char* command : {"true", "exec true", "true; true"}) {
      double own = 0;
      const double rate = packed(directory.path(), command, instances, slots, own);
      fmt::print(
          "posix_spawn of /bin/true {:6.0f}/s   `{}` packed {:6.0f}/s   ratio {:.2f}   own {:.0f} us each\n",
          bare, command, rate, rate / bare, 1e6 * own);
    }
  }
  return 0;
}

}  // namespace
}  // namespace kernmill

int main(int argc, char** argv) {
  const auto number = [&](int at, unsigned otherwise) {
    return argc > at ? static_cast<unsigned>(std::atoi(argv[at])) : otherwise;
  };
  return kernmill::compare(number(1, 10'000), number(2, std::max(1U, std::thread::hardware_concurrency())));
}
