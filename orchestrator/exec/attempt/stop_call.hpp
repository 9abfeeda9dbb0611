#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernmill/os/process.hpp"

namespace kernmill::exec {

/// How the programs of a command are asked to stop.
struct StopCall {
  int signal = 0;
  /// It is to end, whether it listens or not. False, as its time limit comes near: who does not listen works
  /// on until the end.
  bool is_order = true;
  bool spares_launchers = true;  ///< programs that start ranks: false when no rank has shown up for a while
  /// Sends a signal to ranks that srun has started, wherever they run. Empty: there are none.
  std::function<bool(int signal)> signal_ranks = {};
};

/// Calls once. Processes that catch the signal get it; programs that start ranks (mpiexec, srun) do not,
/// since they might end those first. When it is an order that nobody listens to, SIGTERM goes to all but
/// shells that wait for a program: those see how that ends. `token` as in signal_tree. Returns whether
/// anybody was reached.
bool ask_command_to_stop(const StopCall& call, int pid, std::uint64_t start_time, const std::string& token);

/// The number of a signal that `signal:` names; SIGTERM for an empty name.
int number_of_signal(const std::string& name);

}  // namespace kernmill::exec
