#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "kernmill/exec/stall/stall_watch.hpp"
#include "kernmill/os/process.hpp"
#include "kernmill/os/stop_requests.hpp"
#include "kernmill/workflow/workflow.hpp"

namespace kernmill::exec {

/// The program of an attempt, and how it is watched.
struct StepOptions {
  SpawnOptions spawn;
  std::string token;  ///< KERNMILL_TOKEN of the attempt: finds processes whose parents have died
  /// The program that ranks run. A request to stop goes to the ranks alone: a launcher that gets it too might
  /// end them before they have saved anything. Empty (a command): it goes to every process of the step.
  std::string rank_program;
  std::chrono::milliseconds limit{0};  ///< 0: none
  /// How long before the limit, its own or that of its job, it hears of it; 0: as soon as this process does.
  std::chrono::milliseconds lead{0};
  int signal = 0;  ///< that asks a command to stop (stop_call.hpp); 0: SIGTERM
  /// Sends a signal to ranks wherever they run; false: to be tried again. Empty: they are on this machine.
  std::function<bool(int signal)> signal_ranks = {};
  /// In a job of a batch system, which keeps the limit itself: SIGUSR1 says that time is short, and then this
  /// says how short (0: not known). After any other request to stop, the step has `grace` at most.
  std::function<std::chrono::milliseconds()> time_left = {};
  std::chrono::milliseconds grace{20'000};
  /// Called after such a request has been passed on: there may be no time left for it later.
  std::function<void()> told_to_end = {};
  StallOptions stall = {};  ///< how it is told that nothing happens any more; its token is the step's
  std::uint64_t mem = 0;    ///< bytes that it may have, where somebody has to watch that; 0: nobody
  /// Called again and again while the step runs, to show that somebody watches it.
  std::function<void()> heartbeat = {};
  std::chrono::milliseconds heartbeat_interval{30'000};
  std::chrono::milliseconds longest_end =
      kernmill::longest_end;  ///< how long it waits for what it has killed
};

struct StepEnd {
  int exit_code = 0;                     ///< of the launcher or shell; 128 + signal when a signal ended it
  int signal = 0;                        ///< that ended the launcher or shell
  bool asked_to_stop = false;            ///< from outside
  bool near_limit = false;               ///< asked to stop because its time was running out
  bool killed = false;                   ///< at its time limit
  std::chrono::milliseconds stalled{0};  ///< asked to stop because it had shown no sign of life for so long
  bool node_failed = false;              ///< one of its nodes, as its launcher says
  std::string failed_node = {};          ///< which, if it says so
  std::uint64_t peak_memory = 0;         ///< bytes that the largest of its processes had; 0: not known
  bool out_of_memory = false;            ///< the kernel ended a process of this job's memory group
  std::string still_there = {};  ///< processes that cannot be ended, in words: nothing may be committed
};

/// How long before its limit an attempt of the stage is asked to stop.
std::chrono::milliseconds lead_of(const Stage& stage, std::chrono::milliseconds limit);

/// Runs a step until it and all processes that it left behind have ended, or cannot be ended. `started` hears
/// its process id.
StepEnd run_step(const StepOptions& options, StopRequests& stop,
                 const std::function<void(int pid, std::uint64_t start_time)>& started);

}  // namespace kernmill::exec
