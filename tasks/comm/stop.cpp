#include "kernmill/tasks/comm/stop.hpp"

#include <csignal>

namespace kernmill::tasks {
namespace {

volatile std::sig_atomic_t signalled = 0;

extern "C" void remember(int) {
  signalled = 1;
}

}  // namespace

void remember_stop_signals() {
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;  // I/O under way goes on; the task stops at its next step
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGUSR1, &action, nullptr);
}

bool stop_was_signalled() {
  return signalled != 0;
}

bool agree_to_stop(const Communicator& comm) {
  return comm.allreduce(stop_was_signalled() ? 1 : 0, Reduction::max) != 0;
}

}  // namespace kernmill::tasks
