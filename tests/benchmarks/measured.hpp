#pragma once
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare_loop.hpp"

/// What a program of ours cost.
namespace kernmill::testing {

struct Cost {
  int status = 0;
  double seconds = 0, cpu = 0;
  long peak_kb = 0;
};

/// Runs a program to its end; nobody hears what it says.
inline Cost cost_of(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  const auto start = Clock::now();
  pid_t child = 0;
  if (::posix_spawnp(&child, argv[0], &quiet, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&quiet);
  Cost cost;
  rusage used{};
  ::wait4(child, &cost.status, 0, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  cost.seconds = seconds_since(start);
  cost.cpu = seconds(used.ru_utime) + seconds(used.ru_stime);
  cost.peak_kb = used.ru_maxrss;
  return cost;
}

}  // namespace kernmill::testing
