#include "kernmill/storage/file/new_file.hpp"

#include <cerrno>
#include <fstream>
#include <functional>
#include <iterator>
#include <vector>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernmill/storage/file/checked_size.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/file/nesting.hpp"
#include "kernmill/storage/file/packed.hpp"
#include "kernmill/storage/file/raw_file.hpp"
#include "temporary_directory.hpp"

namespace kernmill::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class NewFiles : public ::testing::Test {
 protected:
  ~NewFiles() override { umask(before_); }
  [[nodiscard]] const fs::path& path() const { return folder_.path(); }
  [[nodiscard]] fs::path file() const { return path() / "x.csv"; }
  void put(const std::string& name, const std::string& text) const { std::ofstream(path() / name) << text; }
  static std::string content(const fs::path& of) {
    std::ifstream in(of);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(path())) found.push_back(entry.path().filename());
    return found;
  }
  static mode_t mode_of(const fs::path& of) {
    struct stat status {};
    stat(of.c_str(), &status);
    return status.st_mode & 07777;
  }

 private:
  const mode_t before_ = umask(022);
  kernmill::testing::TemporaryDirectory folder_;
};

TEST_F(NewFiles, ALinkThatSomebodyHasPlantedIsNotFollowed) {
  put("private", "mine");
  fs::create_symlink(path() / "private", path() / ".x.csv.partial");
  fs::create_symlink(path() / "private", path() / "x.csv");
  write_durably(file(), "table");
  EXPECT_EQ(content(path() / "private"), "mine");
  EXPECT_EQ(content(file()), "table");
  EXPECT_FALSE(fs::is_symlink(file()));
}

TEST_F(NewFiles, ATemporaryNameIsNewEachTimeAndNeverTakenFromALink) {
  EXPECT_NE(temporary_beside(file()), temporary_beside(file()));
  put("private", "mine");
  fs::create_symlink(path() / "private", path() / "link");
  for (const auto& work : {std::function<void()>([&] { create_empty(path() / "link", file()); }),
                           std::function<void()>([&] { write_piece(path() / "link", file(), 0, "theirs"); }),
                           std::function<void()>([&] { sync_file(path() / "link", file()); }),
                           std::function<void()>([&] { publish(path() / "link", file()); })})
    EXPECT_THROW(work(), Error);
  EXPECT_EQ(content(path() / "private"), "mine");
}

TEST_F(NewFiles, TheUmaskIsObeyedWhereTheDirectoryIsTheUsersOwn) {
  chmod(path().c_str(), 0755);
  for (const auto& [mask, mode] : {std::pair<mode_t, mode_t>{022, 0640}, {077, 0600}, {0, 0640}}) {
    umask(mask);
    NewFile made(file());
    EXPECT_EQ(mode_of(path() / names().front()), 0600U) << mask;
    made.publish_by_umask();
    EXPECT_EQ(mode_of(file()), mode) << mask;
    fs::remove(file());
  }
}

TEST_F(NewFiles, ARunsDirectorySaysWhoMayReadWhatIsInIt) {
  umask(077);
  for (const auto& [directory, mode] : {std::pair<mode_t, mode_t>{02750, 0640}, {0700, 0600}}) {
    chmod(path().c_str(), directory);
    write_durably(file(), "x");
    EXPECT_EQ(mode_of(file()), mode);
    EXPECT_EQ(mode_of(path()), directory) << "the directory stays as it is";
  }
}

TEST_F(NewFiles, WhatAKilledWriterHasLeftGoesWithTheNextOne) {
  for (const char* name :
       {".x.csv.partial", ".x.csv.0123456789abcdef.partial", ".y.csv.0123456789abcdef.partial",
        ".x.csv.not-hexadecimal.partial", "x.csv.partial"})
    put(name, "left");
  NewFile(file()).publish();
  EXPECT_THAT(names(), UnorderedElementsAre("x.csv", ".y.csv.0123456789abcdef.partial",
                                            ".x.csv.not-hexadecimal.partial", "x.csv.partial"));
}

TEST_F(NewFiles, WhatIsNotPublishedIsGone) {
  {
    const NewFile made(file());
    made.write("half");
  }
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

TEST_F(NewFiles, AFailedSyncOfTheDirectoryLeavesWhatTookAnothersPlace) {
  const auto fail = [](std::string_view at) { return at == "sync directory" ? EIO : 0; };
  set_fault(fail);
  EXPECT_THROW(write_durably(file(), "new"), Error);
  EXPECT_THAT(names(), ::testing::IsEmpty());
  set_fault({});
  write_durably(file(), "old");
  set_fault(fail);
  EXPECT_THROW(write_durably(file(), "new"), Error);
  set_fault({});
  EXPECT_EQ(content(file()), "new");
}

TEST_F(NewFiles, APipeIsNoFileAndNotWaitedFor) {
  mkfifo(file().c_str(), 0600);
  try {
    const RawFile opened(file(), file(), RawFile::Access::read);
    FAIL() << "it is opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("x.csv: is not a regular file"));
  }
}

TEST(CheckedSizes, DoNotWrap) {
  constexpr std::uint64_t third = 768'614'336'404'564'651;
  EXPECT_EQ(checked_product(24, third), std::nullopt);
  EXPECT_EQ(checked_product(6, 7), 42U);
  const std::vector<std::uint64_t> wrapping{third, 24}, hidden{0, third, 24}, sound{3, 4}, none{0, 4};
  EXPECT_EQ(checked_bytes(wrapping, 1), std::nullopt);
  EXPECT_EQ(checked_bytes(hidden, 1), std::nullopt);
  EXPECT_EQ(checked_bytes(sound, 8), 96U);
  EXPECT_EQ(checked_bytes(none, 8), 0U);
}

TEST(PackedValues, OfMoreThanThereIsAreRefusedBeforeTheyHavePlace) {
  Packer packer;
  packer.put(std::uint64_t{1} << 60);
  const std::string bytes = packer.take();
  std::vector<double> numbers;
  std::vector<std::string> texts;
  EXPECT_THROW(Unpacker(bytes).get(numbers), Error);
  EXPECT_THROW(Unpacker(bytes).get(texts), Error);
}

TEST(Nesting, IsCountedOutsideOfTexts) {
  EXPECT_FALSE(nests_deeper_than(R"({"a":[[1]],"b":[]})", 3));
  EXPECT_TRUE(nests_deeper_than(R"({"a":[[1]]})", 2));
  EXPECT_FALSE(nests_deeper_than(R"(["[[[[\"[[["])", 1));
}

}  // namespace
}  // namespace kernmill::storage
