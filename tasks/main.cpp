#include <chrono>
#include <cstdio>
#include <optional>

#include <Kokkos_Core.hpp>
#include <fmt/format.h>

#include "kernmill/base/exit_status.hpp"
#include "kernmill/base/standard_streams.hpp"
#include "kernmill/storage/transport/choice.hpp"
#include "kernmill/tasks/comm/failure.hpp"
#include "kernmill/tasks/comm/last_word.hpp"
#include "kernmill/tasks/comm/mpi_session.hpp"
#include "kernmill/tasks/comm/stop.hpp"
#include "kernmill/tasks/kinds/task.hpp"
#include "kernmill/tasks/self_check.hpp"
#include "kernmill/tasks/support/device.hpp"
#include "kernmill/tasks/support/program.hpp"

using namespace kernmill;
using namespace kernmill::tasks;

namespace {

constexpr const char* usage =
    "usage: kernmill-task KIND --spec FILE\n"
    "       kernmill-task --check      prints what this installation consists of; also with several ranks";

// How long the other ranks may take to reach the end once one has failed. They are stuck in a reduction, most
// likely, so nothing is lost by not waiting long.
constexpr std::chrono::seconds patience{10};

struct CommandLine {
  const Kind* kind = nullptr;
  std::string spec_file;
};

std::optional<CommandLine> parse(int argc, char** argv) {
  if (argc != 4 || std::string_view(argv[2]) != "--spec") return std::nullopt;
  for (const Kind& kind : kinds())
    if (kind.name == argv[1]) return CommandLine{&kind, argv[3]};
  return std::nullopt;
}

int report(const Failure& failure, const Spec& spec) {
  if (failure.kind == Failure::Kind::stopped) {
    fmt::print(stderr, "kernmill-task: stopped on request\n");
    return exit_stopped;
  }
  fmt::print(stderr, "error: {}\n", failure.message);
  if (!failure.where.empty()) fmt::print(stderr, "  at {}\n", failure.where);
  if (!failure.help.empty()) fmt::print(stderr, "  help: {}\n", failure.help);
  if (failure.kind == Failure::Kind::unusable_spec) return exit_usage;
  write_error(spec.output_directory, failure.message, failure.where, failure.help);
  return exit_failed;
}

// Collective. The exit status is the same on every rank.
int finish(const Failure& own, const LastWord& last_word, const Communicator& world, const Spec& spec) {
  int status = exit_done;
  const auto lowest = last_word.exchange(own, patience);
  if (!lowest) {  // the others are somewhere else: they cannot be asked, only ended
    status = report(own, spec);
    std::fflush(nullptr);
    end_all_ranks(world, status);
  }
  if (*lowest && world.is_root()) status = report(*lowest, spec);
  return world.allreduce(status, Reduction::max);
}

Json to_json(const storage::TransportChoice& choice) {
  return {{"transport", storage::to_string(choice.transport)},
          {"reason", choice.reason},
          {"file_system", storage::to_string(choice.file_system)},
          {"nodes", choice.nodes}};
}

/// How the tables that this task reads and writes travel; told on rank 0. Collective.
storage::TransportChoice choose_transport(const Spec& spec, const Communicator& world) {
  const bool writes_tables = spec.kind == "preprocess" || spec.kind == "train";
  storage::TransportChoice choice =
      storage::choose_transport(world.handle(), spec.output_directory, spec.transport,
                                writes_tables ? storage::Purpose::writing : storage::Purpose::reading);
  if (world.is_root()) fmt::print("storage: {}\n", choice.reason);
  return choice;
}

int run(const CommandLine& command, const Communicator& world, const LastWord& last_word) {
  const auto start = std::chrono::steady_clock::now();
  Spec spec;
  Result result;
  const Failure failure = Failure::of([&] {
    world.agree([&] { spec = read_spec(command.spec_file, command.kind->name); });
    const storage::TransportChoice storage = choose_transport(spec, world);
    result = command.kind->run(spec, world);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    world.agree([&] {
      if (world.is_root())
        write_result(spec.output_directory, result,
                     {program(), world.size(), seconds.count(), to_json(storage)});
    });
  });
  return finish(failure, last_word, world, spec);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::fputs((program() + '\n').c_str(), stdout);
    return flushed(exit_done);
  }
  const bool check = argc == 2 && std::string_view(argv[1]) == "--check";
  const auto command = parse(argc, argv);
  if (!command && !check) {
    fmt::print(stderr, "{}\nkinds:", usage);
    for (const Kind& kind : kinds()) fmt::print(stderr, " {}", kind.name);
    fmt::print(stderr, "\n");
    return exit_usage;
  }
  if (const std::string missing = missing_device(); !missing.empty()) {
    fmt::print(stderr, "error: {}\n", missing);
    return exit_failed;
  }
  remember_stop_signals();
  const MpiSession mpi(argc, argv);
  const Kokkos::ScopeGuard kokkos(argc, argv);
  const Communicator world = mpi.world();
  if (check) {
    print_self_check(world);
    return flushed(exit_done);
  }
  make_output_a_log();
  const LastWord last_word(world);
  return run(*command, world, last_word);
}
