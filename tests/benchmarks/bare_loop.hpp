#pragma once
#include <chrono>
#include <cstdlib>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/// What runs of many small programs are measured against.
namespace kernmill::testing {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Runs a program that does nothing so often, `width` side by side. Returns how often a second.
inline double bare_loop(unsigned instances, unsigned width) {
  char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  const auto start = Clock::now();
  unsigned running = 0, begun = 0;
  while (begun < instances || running > 0) {
    while (begun < instances && running < width) {
      pid_t child = 0;
      if (::posix_spawn(&child, program, nullptr, nullptr, argv, environ) != 0) std::abort();
      ++begun, ++running;
    }
    if (::wait(nullptr) > 0) --running;
  }
  return instances / seconds_since(start);
}

}  // namespace kernmill::testing
