#include "kernmill/exec/attempt/element_fence.hpp"

#include <chrono>
#include <fstream>

#include <gtest/gtest.h>

#include "temporary_directory.hpp"

namespace kernmill::exec {
namespace {

namespace fs = std::filesystem;

/// A file server whose clock is behind, and whose time stamps are so coarse that two changes have one.
TEST(ElementFence, SeesANewerStartWhateverTheClockOfTheFileServerSays) {
  const testing::TemporaryDirectory journal;
  const auto stamp = fs::file_time_type::clock::now() - std::chrono::hours(3);
  ElementFence fence(journal.path(), "12_3-g1", 0);
  std::ofstream(journal.path() / "12_3-g1.0.n1.exec.jsonl") << "";
  fs::last_write_time(journal.path(), stamp);
  EXPECT_EQ(fence.newer(), "");
  std::ofstream(journal.path() / "12_3-g1.1.n2.exec.jsonl") << "";
  fs::last_write_time(journal.path(), stamp);
  EXPECT_EQ(fence.newer(), "12_3-g1.1.n2.exec.jsonl");
}

}  // namespace
}  // namespace kernmill::exec
