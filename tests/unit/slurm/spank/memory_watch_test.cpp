#include "kernmill/slurm/spank/memory_watch.hpp"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace kernmill::spank {
namespace {

TEST(SpankMemoryWatch, KeepsTheLastSampleOfAProcessThatHasEnded) {
  EXPECT_GT(peak_memory(::getpid()), 1'000'000U);
  EXPECT_EQ(peak_memory(0), 0U);
  MemoryWatch watch(std::chrono::milliseconds{5});
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  watch.add(child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_GT(watch.take(child), 0U);
  EXPECT_EQ(watch.take(child), 0U) << "what was taken is not watched any more";
}

}  // namespace
}  // namespace kernmill::spank
