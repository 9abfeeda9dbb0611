#include "kernmill/base/file_pattern.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "temporary_directory.hpp"

namespace kernmill {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// d1.csv, d2.csv, .d3.csv and e[1].csv in a folder whose name would be a pattern itself.
class FilePattern : public ::testing::Test {
 protected:
  FilePattern() {
    fs::create_directory(folder_);
    for (const char* name : {"d2.csv", "d1.csv", ".d3.csv", "e[1].csv"}) std::ofstream(folder_ / name) << "x";
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  testing::TemporaryDirectory directory_;
  fs::path folder_ = directory_.path() / "x[a] *";
};

TEST_F(FilePattern, MeansTheFilesOfAFolderByName) {
  EXPECT_THAT(files_of_pattern(path("d*.csv")), ElementsAre(path("d1.csv"), path("d2.csv")));
  EXPECT_THAT(files_of_pattern(path("?[2-9].csv")), ElementsAre(path("d2.csv")));
}

TEST_F(FilePattern, MeansAFileOfThatVeryNameFirst) {
  EXPECT_THAT(files_of_pattern(path("e[1].csv")), ElementsAre(path("e[1].csv")));
}

TEST_F(FilePattern, MeansNoHiddenFileUnlessItSaysSo) {
  EXPECT_THAT(files_of_pattern(path("*3.csv")), IsEmpty());
  EXPECT_THAT(files_of_pattern(path(".*.csv")), ElementsAre(path(".d3.csv")));
}

TEST_F(FilePattern, MeansNothingWhereThereIsNoFolder) {
  EXPECT_THAT(files_of_pattern(directory_.path() / "none" / "*.csv"), IsEmpty());
}

}  // namespace
}  // namespace kernmill
