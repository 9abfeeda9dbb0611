// A million packed instances: `plan`, `validate`, the first minute of `run` on this machine, and `status` of
// what that leaves: `bench_million KERNMILL [SECONDS [SIDE]]`, for SIDE x SIDE instances. Goal: at most 200
// MB of memory. What submitting them to a cluster takes, `bench_slurm million` says.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "measured.hpp"
#include "temporary_directory.hpp"

namespace {

using kernmill::testing::Cost;

std::string axis(unsigned values) {
  std::string text = "[0";
  for (unsigned i = 1; i < values; ++i) text += fmt::format(", {}", i);
  return text + "]";
}

void show(const std::string& what, const std::vector<std::string>& words) {
  const Cost cost = kernmill::testing::cost_of(words);
  fmt::print("{:28} {:7.2f} s ({:7.2f} s of CPU)  {:7.1f} MB\n", what, cost.seconds, cost.cpu,
             static_cast<double>(cost.peak_kb) / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print("usage: bench_million KERNMILL [SECONDS [SIDE]]\n");
    return 2;
  }
  const std::string program = argv[1], seconds = argc > 2 ? argv[2] : "60";
  const unsigned side = argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : 1'000;
  const kernmill::testing::TemporaryDirectory place;
  const std::string flow = (place.path() / "flow.yaml").string(), runs = (place.path() / "runs").string();
  std::ofstream(flow) << "name: million\nstages:\n  all:\n    run: 'true'\n    matrix:\n      i: "
                      << axis(side) << "\n      j: " << axis(side) << '\n';
  fmt::print("{} instances\n", side * side);
  show("validate", {program, "validate", flow});
  show("plan", {program, "plan", flow});
  // timeout is the child that is waited for, and waits for ours: the larger of both is ours.
  show("run, " + seconds + " s of it",
       {"timeout", "-s", "INT", seconds, program, "run", flow, "-q", "--runs", runs});
  show("status", {program, "status", "--runs", runs});
  show("explain", {program, "explain", "--runs", runs});
  show("logs", {program, "logs", "--runs", runs, "last", "all.0"});
}
