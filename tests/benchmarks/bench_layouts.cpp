// A step of a network in every layout, beside what the cost model predicts
// (tasks/learn/parallel/step_cost.hpp).
//
//   mpiexec -n 4 bench_layouts [BATCH] [ROUNDS] [gelu|layer_norm|dropout...]
//   bench_layouts --network 1.5e-6,4e-7,4e-7,4e-11
//
// Of an MLP 784-1024-1024-10 in float32, with what is named behind its hidden layers: what is measured of the
// machine, then each layout's step, in interleaved rounds, and what is predicted of it: of the fastest round,
// as it is of a quiet machine.
//
// On one rank there are predictions, too, from the speed of a core of this machine: for 64 to 65,536 ranks,
// 64 on a node of as many cores, of that network with batches of 512 and 65,536 rows, and of one of 10^9
// parameters. --network L,o,g,G is the network between nodes (LogGP; seconds, and seconds a byte): above an
// InfiniBand of 1.5 us and 25 GB/s, and by default what two ranks of a node had where this was written. Of
// each number of ranks the data-parallel layout and the four fastest others are told, with slices = tensor.
#include <algorithm>
#include <memory>
#include <sstream>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/learn/parallel/choose_layout.hpp"
#include "kernmill/tasks/learn/train/measure_machine.hpp"
#include "kernmill/tasks/learn/train/memory_need.hpp"
#include "rivals.hpp"
#include "training_steps.hpp"

namespace kernmill::tasks {
namespace {

using Widths = std::vector<std::uint64_t>;

const Widths mlp{784, 1024, 1024, 10}, billion{784, 22016, 22016, 22016, 10};
constexpr Link two_ranks_here{3e-7, 2e-7, 3e-7, 2e-10};

OptimizerSettings adam(std::uint64_t batch_size) {
  OptimizerSettings settings;
  settings.type = OptimizerType::adam;
  settings.batch_size = batch_size;
  return settings;
}

/// With slices = tensor.
std::vector<Layout> all_layouts(std::uint64_t ranks, const Widths& widths) {
  constexpr std::uint64_t most_slices = 64;
  std::vector<Layout> layouts;
  for (std::uint64_t tensor = 1; tensor <= std::min(ranks, most_slices); tensor *= 2)
    for (const Layout& layout : layouts_of({0, tensor, 0, tensor}, ranks, widths.size() - 1))
      layouts.push_back(layout);
  return layouts;
}

void print_link(const char* name, const Link& link) {
  fmt::print("  {:12} L {:.2f} us, o {:.2f} us, g {:.2f} us, 1/G {:.2f} GB/s\n", name, 1e6 * link.latency,
             1e6 * link.overhead, 1e6 * link.gap, 1e-9 / link.byte);
}

void print_machine(const Machine& machine) {
  fmt::print("machine: {} ranks on a node, {} cores\n", machine.ranks_on_node, machine.cores);
  if (machine.near.byte > 0) print_link("near", machine.near);
  if (machine.far.byte > 0) print_link("far", machine.far);
  fmt::print(
      "  {:.3g} ns a row and weight ({:.3g} Gflop/s), {:.3g} of pieces one by one, {:.3g} ns a row and "
      "hidden "
      "unit beside, {:.3g} ns a piece and parameter, {:.3g} us a call, {:.3g} ns an update\n",
      1e9 * machine.row, 6e-9 / machine.row, 1e9 * machine.lone_row, 1e9 * machine.entry, 1e9 * machine.piece,
      1e6 * machine.call, 1e9 * machine.update);
}

void print_cost(const Layout& layout, const StepCost& cost) {
  fmt::print("  {:34} {:10.3f} ms  {:10.3f} {:10.3f} {:10.3f} {:10.3f}", text_of(layout), 1e3 * cost.total(),
             1e3 * cost.compute, 1e3 * cost.communication, 1e3 * cost.bubble, 1e3 * cost.update);
}

constexpr const char* heading = "computing  messages    waiting    updates";

/// With gelu, layer_norm and dropout where they are named.
NetworkShape shape_of(std::span<char* const> names) {
  NetworkShape shape{mlp};
  for (const std::string_view name : names) {
    if (name == "gelu") shape.activation = kernels::Activation::gelu;
    if (name == "layer_norm") shape.layer_norm = true;
    if (name == "dropout") shape.dropout = 0.1;
  }
  return shape;
}

void compare(const Communicator& comm, const NetworkShape& shape, std::uint64_t rows, int rounds) {
  const auto ranks = static_cast<std::uint64_t>(comm.size());
  Machine machine;
  const double seconds = seconds_of(comm, [&] { machine = measure_machine<float>(comm, shape, adam(rows)); });
  if (comm.is_root()) {
    print_machine(machine);
    fmt::print("  measured in {:.0f} ms\n", 1e3 * seconds);
  }
  struct Entrant {
    Layout layout;
    Summing summing;
    std::unique_ptr<TrainingSteps<float>> steps;
  };
  std::vector<Entrant> entrants;
  for (const Layout& layout : all_layouts(ranks, mlp))
    for (const Summing summing : {Summing::exact, Summing::fast})
      if (summing == Summing::exact || layout.is_plain())
        entrants.push_back(
            {layout, summing, std::make_unique<TrainingSteps<float>>(comm, summing, shape, rows, layout)});
  Rivals rivals(comm);
  for (const Entrant& entrant : entrants)
    rivals.add(text_of(entrant.layout), [&] {
      return seconds_of(comm,
                        [&] {
                          for (int i = 0; i < 3; ++i) entrant.steps->one();
                        }) /
             3;
    });
  rivals.race(rounds);
  if (!comm.is_root()) return;
  fmt::print(
      "a step of {} rows, layers {}, {} ranks, {} rounds\n  {:34} {:>13}  {}      median      fastest "
      "predicted/fastest\n",
      rows, fmt::join(mlp, "-"), ranks, rounds, "", "predicted", heading);
  for (std::size_t i = 0; i < entrants.size(); ++i) {
    const StepCost cost = predict(machine, {mlp, rows, sizeof(float), entrants[i].summing, shape.layer_norm},
                                  entrants[i].layout);
    const double measured = fastest(rivals.rounds(i));
    print_cost(entrants[i].layout, cost);
    fmt::print("  {:8.3f} ms  {:8.3f} ms {:8.2f}{}\n", 1e3 * median(rivals.rounds(i)), 1e3 * measured,
               cost.total() / measured, entrants[i].summing == Summing::fast ? "  fast sums" : "");
  }
}

double memory_of(const Widths& widths, std::uint64_t batch_size, const Layout& layout) {
  const MemoryLayout memory{static_cast<int>(layout.ranks()), 1, 0, 0, false, layout};
  return memory_need(adam(batch_size), {.widths = widths}, {1'000'000, widths.front() * sizeof(double)},
                     memory)
      .all();
}

void extrapolate(const Machine& machine, const Widths& widths, std::uint64_t rows) {
  constexpr std::size_t told = 4;
  fmt::print("\na step of {} rows, layers {}\n  {:34} {:>13}  {}  GiB a rank\n", rows, fmt::join(widths, "-"),
             "", "predicted", heading);
  for (const std::uint64_t ranks : {64, 256, 1024, 4096, 16'384, 65'536}) {
    std::vector<Candidate> all;
    for (const Layout& layout : all_layouts(ranks, widths))
      all.push_back(
          {layout, predict(machine, {widths, rows, sizeof(float)}, layout), memory_of(widths, rows, layout)});
    std::stable_sort(all.begin() + 1, all.end(),
                     [](const Candidate& a, const Candidate& b) { return a.cost.total() < b.cost.total(); });
    for (std::size_t i = 0; i < std::min(told + 1, all.size()); ++i) {
      print_cost(all[i].layout, all[i].cost);
      fmt::print("  {:10.3f}\n", all[i].memory / (1 << 30));
    }
  }
}

/// L,o,g,G. Ends the program where it is no such thing.
Link link_of(const std::string& text) {
  std::istringstream in(text);
  Link link;
  char comma = 0, rest = 0;
  if (in >> link.latency >> comma >> link.overhead >> comma >> link.gap >> comma >> link.byte &&
      !(in >> rest))
    return link;
  fmt::print(stderr,
             "--network takes four numbers L,o,g,G, in seconds, such as 1.5e-6,4e-7,4e-7,4e-11; not '{}'\n",
             text);
  std::exit(2);
}

void predict_alone(const Communicator& comm, const Link& network) {
  Machine machine = measure_machine<float>(comm, {mlp}, adam(512));
  machine.ranks_on_node = machine.cores = 64;
  machine.near = two_ranks_here;
  machine.far = network;
  print_machine(machine);
  extrapolate(machine, mlp, 512);
  extrapolate(machine, mlp, 65'536);
  extrapolate(machine, billion, 512);
  extrapolate(machine, billion, 65'536);
}

}  // namespace
}  // namespace kernmill::tasks

int main(int argc, char** argv) {
  using namespace kernmill::tasks;
  const MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  const Communicator comm = mpi.world();
  const bool has_network = argc == 3 && std::string_view(argv[1]) == "--network";
  if (comm.size() == 1) {
    compare(comm, shape_of({}), 512, 5);
    predict_alone(comm, has_network ? link_of(argv[2]) : two_ranks_here);
  } else {
    compare(comm, shape_of(std::span(argv, static_cast<std::size_t>(argc))),
            number_argument(argc, argv, 1, 512), static_cast<int>(number_argument(argc, argv, 2, 11)));
  }
}
