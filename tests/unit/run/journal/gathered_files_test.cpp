#include "kernmill/run/journal/gathered_files.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "kernmill/run/journal/events.hpp"
#include "temporary_directory.hpp"

namespace kernmill::testing {
namespace {

namespace fs = std::filesystem;

class Gathered : public ::testing::Test {
 protected:
  /// A job's file, in which an instance has committed.
  fs::path committed(unsigned index) {
    JournalWriter job(folder.path(), "a." + std::to_string(index), 0, "exec");
    job.append(to_record(events::Started{{"a", index, 1}, "job", {1, 1, "here"}}));
    job.append(to_record(events::Committed{{"a", index, 1}, {{{}, {{"loss", index}}}}}));
    return job.path();
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), {}));
  }
  const TemporaryDirectory folder;
  JournalWriter conductor{folder.path(), "conductor-1-1", 0, "conductor"};
};

TEST_F(Gathered, FilesAreOneAndSayTheSame) {
  GatheredFiles gathered(conductor);
  for (unsigned i = 0; i < 300; ++i) gathered.add(committed(i));
  EXPECT_LE(files(), 100U);
  gathered.flush();
  EXPECT_EQ(files(), 1U);
  const RunRecord record = fold_journal(folder.path());
  ASSERT_EQ(record.instances.size(), 300U);
  for (const auto& [key, instance] : record.instances) {
    EXPECT_TRUE(instance.committed);
    EXPECT_EQ(instance.metrics.at("loss"), key.second);
  }
}

TEST_F(Gathered, ATornLastLineDoesNotReachTheLinesBehindIt) {
  const fs::path torn = committed(0);
  std::ofstream(torn, std::ios::app) << R"({"v":1,"event":"fai)";
  GatheredFiles gathered(conductor);
  gathered.add(torn);
  gathered.add(committed(1));
  gathered.flush();
  EXPECT_EQ(fold_journal(folder.path()).instances.size(), 2U);
}

TEST_F(Gathered, WhatIsInBothSaysNothingTwice) {
  const fs::path file = committed(3), kept = folder.path() / "kept";
  fs::copy_file(file, kept);
  GatheredFiles gathered(conductor);
  gathered.add(file);
  gathered.flush();
  fs::rename(kept, file);  // as if it had been killed before it removed the file
  const RunRecord record = fold_journal(folder.path());
  ASSERT_EQ(record.find("a", 3)->attempts.size(), 1U);
  EXPECT_TRUE(record.find("a", 3)->committed);
}

TEST_F(Gathered, ReadersMissNothingWhileFilesAreGathered) {
  for (unsigned i = 0; i < 5; ++i) committed(i);
  bool is_first = true;
  const RunRecord record = fold_journal(folder.path(), [&](std::string_view) {
    if (std::exchange(is_first, false))
      gather_ended_jobs(folder.path(), conductor);  // all of them have gone now
    return true;
  });
  EXPECT_EQ(record.instances.size(), 5U);
}

}  // namespace
}  // namespace kernmill::testing
