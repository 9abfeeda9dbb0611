#include <utility>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "cache_support.hpp"

namespace kernmill::testing {
namespace {

// FIPS 180-2, appendix B.
constexpr const char* digest_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class Digest : public ::testing::Test {
 protected:
  fs::path file(const std::string& name, const std::string& text) {
    write(directory_.path() / name, text);
    age(directory_.path() / name);
    return directory_.path() / name;
  }
  [[nodiscard]] DigestStore store() const { return DigestStore(directory_.path(), tomorrow); }
  TemporaryDirectory directory_;
};

TEST_F(Digest, IsThatOfTheStandard) {
  EXPECT_EQ(store().sha256(file("abc", "abc")), digest_of_abc);
}

TEST_F(Digest, OfAFileOfManyBlocksIsThatOfItsText) {
  std::string text(3 * 1024 * 1024 + 17, 'x');
  text[2'000'000] = 'y';
  EXPECT_EQ(store().sha256(file("large", text)), sha256(text));
}

TEST_F(Digest, IsRememberedByOtherProcesses) {
  const fs::path abc = file("abc", "abc");
  DigestStore first = store(), second = store();
  EXPECT_EQ(first.sha256(abc), digest_of_abc);
  EXPECT_EQ(first.bytes_read(), 3);
  EXPECT_EQ(second.sha256(abc), digest_of_abc);
  EXPECT_EQ(second.bytes_read(), 0);
}

TEST_F(Digest, IsTakenAnewWhenTheTimeStampChanges) {
  DigestStore digests = store();
  const fs::path path = file("f", "abc");
  digests.sha256(path);
  write(path, "abd");
  EXPECT_EQ(digests.sha256(path), sha256("abd"));
}

TEST_F(Digest, IsTakenAnewWhenAnotherFileTakesThePlaceWithSizeAndTimeStampAlike) {
  DigestStore digests = store();
  const fs::path path = file("f", "abc"), other = file("g", "abd");
  fs::last_write_time(other, fs::last_write_time(path));
  digests.sha256(path);
  fs::rename(other, path);
  EXPECT_EQ(digests.sha256(path), sha256("abd"));
}

TEST_F(Digest, OfAFileThatWasChangedJustNowIsNotRemembered) {
  const fs::path path = file("f", "abc");  // its time says an hour ago, and means nothing
  DigestStore digests(directory_.path());
  digests.sha256(path);
  digests.sha256(path);
  EXPECT_EQ(digests.bytes_read(), 6);
}

TEST_F(Digest, IsTakenAnewAfterAnEditInPlaceWhoseTimeIsSetBack) {
  DigestStore digests = store();
  const fs::path path = file("f", "abc");
  const auto time = fs::last_write_time(path);
  digests.sha256(path);
  const auto change_of = [&] {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return std::pair(info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
  };
  const auto before = change_of();
  do {  // until the file system's clock has ticked
    std::fstream(path, std::ios::in | std::ios::out) << "abd";
    fs::last_write_time(path, time);
  } while (change_of() == before);
  EXPECT_EQ(digests.sha256(path), sha256("abd"));
}

TEST_F(Digest, IsKeptWhenTheStoreLinksTheFile) {
  DigestStore digests = store();
  const fs::path path = file("f", "abc"), link = directory_.path() / "g";
  digests.sha256(path);
  std::error_code error;
  digests.link(path, link, error);
  ASSERT_FALSE(error) << error.message();
  EXPECT_EQ(digests.sha256(path), digest_of_abc);
  EXPECT_EQ(digests.sha256(link), digest_of_abc);
  EXPECT_EQ(digests.bytes_read(), 3);
}

TEST_F(Digest, OfAMissingFileIsAnErrorThatNamesIt) {
  EXPECT_THAT([&] { store().sha256(directory_.path() / "none.csv"); },
              ::testing::ThrowsMessage<std::system_error>(::testing::HasSubstr("none.csv")));
}

TEST_F(Digest, OfADirectoryIsAnError) {
  EXPECT_THROW(store().sha256(directory_.path()), std::system_error);
}

TEST_F(Digest, SurvivesADamagedMemory) {
  const fs::path path = file("f", "abc");
  store().sha256(path);
  for (const auto& entry : fs::recursive_directory_iterator(directory_.path() / ".cache"))
    if (entry.is_regular_file()) write(entry.path(), R"({"path": 7, "si)");
  EXPECT_EQ(store().sha256(path), digest_of_abc);
}

TEST_F(Digest, MakesNothingWhereThereAreNoRunsYet) {
  const fs::path path = file("f", "abc");
  DigestStore digests(directory_.path() / "runs", tomorrow);
  EXPECT_EQ(digests.sha256(path), digest_of_abc);
  EXPECT_FALSE(fs::exists(directory_.path() / "runs"));
}

TEST_F(Digest, IsRightForManyProcessesAtOnce) {
  std::vector<fs::path> files;
  for (int f = 0; f < 20; ++f) files.push_back(file("f" + std::to_string(f), std::string(f, 'x')));
  EXPECT_EQ(failures_of(4,
                        [&](int) {
                          DigestStore digests = store();
                          for (std::size_t f = 0; f < files.size(); ++f)
                            if (digests.sha256(files[f]) != sha256(std::string(f, 'x'))) return false;
                          return true;
                        }),
            0);
}

}  // namespace
}  // namespace kernmill::testing
