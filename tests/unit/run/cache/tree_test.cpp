#include "kernmill/run/cache/tree.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "cache_support.hpp"
#include "kernmill/run/cache/lost_results.hpp"

namespace kernmill::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TreeOfFiles : public ::testing::Test {
 protected:
  TreeOfFiles() {
    put("model/w.bin", "weights");
    put("model/deep/c.json", "{}");
    put("a.png", "a");
    put("b.png", "b");
    put("out.log", "of Kernmill");
  }
  void put(const std::string& name, const std::string& text) const {
    write(attempt() / name, text);
    age(attempt() / name);
  }
  [[nodiscard]] fs::path attempt() const {
    return lab_.runs_root() / "run" / "stages" / "a" / "0" / "attempt-1";
  }
  [[nodiscard]] std::vector<std::string> names(const std::string& path, Links links = Links::kept) const {
    std::vector<std::string> names;
    for (const TreeEntry& entry : tree_at(attempt() / path, links).entries) names.push_back(entry.name);
    return names;
  }
  std::string digest(const std::string& path) {
    return content_of(attempt() / path, lab_.digests, Links::kept).sha256;
  }
  [[nodiscard]] std::string why(const std::string& path, Links links) const {
    try {
      (void)tree_at(attempt() / path, links);
    } catch (const TreeError& error) {
      return error.what();
    }
    return "";
  }
  Laboratory lab_;
};

TEST_F(TreeOfFiles, IsAFolderOrWhatMatchesAPattern) {
  EXPECT_THAT(names("model"), ElementsAre("deep", "deep/c.json", "w.bin"));
  EXPECT_THAT(names("model/"), ElementsAre("deep", "deep/c.json", "w.bin"));
  EXPECT_THAT(names("*.png"), ElementsAre("a.png", "b.png"));
  EXPECT_THAT(names("mod*"), ElementsAre("model", "model/deep", "model/deep/c.json", "model/w.bin"));
  EXPECT_THAT(names("a.png"), ElementsAre("a.png"));
  EXPECT_FALSE(tree_at(attempt() / "*.gif", Links::kept).has_files());
}

TEST_F(TreeOfFiles, APatternDoesNotTakeWhatKernmillWritesForAnArtifact) {
  put("my.log", "mine");
  EXPECT_THAT(names("*.log"), ElementsAre("my.log"));
  EXPECT_THAT(names("*.log", Links::followed), ElementsAre("my.log", "out.log"));
  put("logs/out.log", "mine");
  EXPECT_THAT(names("logs/*.log"), ElementsAre("out.log"));
}

TEST_F(TreeOfFiles, HasADigestOfNamesAndContents) {
  const std::string model = digest("model"), plots = digest("*.png");
  EXPECT_EQ(content_of(attempt() / "model", lab_.digests, Links::kept).bytes, 9U);
  put("model/w.bin", "others!");
  EXPECT_NE(digest("model"), model);
  put("model/w.bin", "weights");
  EXPECT_EQ(digest("model"), model);
  fs::rename(attempt() / "model/w.bin", attempt() / "model/v.bin");
  EXPECT_NE(digest("model"), model);
  fs::rename(attempt() / "model/v.bin", attempt() / "model/w.bin");
  fs::create_directory(attempt() / "model/empty");
  EXPECT_NE(digest("model"), model);
  put("c.png", "c");
  EXPECT_NE(digest("*.png"), plots);
}

TEST_F(TreeOfFiles, KeepsALinkThatStaysInItAndNoOther) {
  fs::create_symlink("../w.bin", attempt() / "model/deep/latest");
  EXPECT_THAT(names("model"), ElementsAre("deep", "deep/c.json", "deep/latest", "w.bin"));
  EXPECT_EQ(why("model", Links::kept), "");
  fs::create_symlink("../../a.png", attempt() / "model/deep/plot");
  EXPECT_THAT(why("model", Links::kept),
              HasSubstr("deep/plot is a link to ../../a.png, which is not part of"));
  fs::remove(attempt() / "model/deep/plot");
  fs::create_symlink(attempt() / "model/w.bin", attempt() / "model/absolute");
  EXPECT_THAT(why("model", Links::kept), HasSubstr("absolute is a link to /"));
}

TEST_F(TreeOfFiles, AsAnInputTakesALinkForItsFileAndRefusesOneToAFolder) {
  fs::create_symlink(attempt() / "a.png", attempt() / "model/plot");
  const auto input = [&] { return content_of(attempt() / "model", lab_.digests, Links::followed).sha256; };
  const std::string before = input();
  put("a.png", "another");
  EXPECT_NE(input(), before);
  fs::create_symlink(attempt(), attempt() / "model/up");
  EXPECT_THAT(why("model", Links::followed), HasSubstr("model/up is a link to a folder"));
}

TEST_F(TreeOfFiles, IsNoPipe) {
  ASSERT_EQ(::mkfifo((attempt() / "model/pipe").c_str(), 0600), 0);
  EXPECT_THAT(why("model", Links::kept), HasSubstr("model/pipe is no file, folder or link"));
}

TEST_F(TreeOfFiles, AsAnInputIsWithoutTheRunRoot) {
  write(lab_.file("code.py"), "1");
  const auto folder = [&] {
    return content_of(lab_.runs_root().parent_path(), lab_.digests, Links::followed).sha256;
  };
  const std::string before = folder();
  put("more", "of a run");
  EXPECT_EQ(folder(), before);
  write(lab_.file("code.py"), "2");
  EXPECT_NE(folder(), before);
}

TEST_F(TreeOfFiles, IsTakenFromTheCacheAsItWas) {
  fs::create_symlink("w.bin", attempt() / "model/latest");
  CacheEntry entry;
  entry.attempt_directory = attempt();
  for (const char* name : {"model", "*.png"}) {
    const Content content = content_of(attempt() / name, lab_.digests, Links::kept);
    entry.artifacts.push_back({name, (attempt() / name).string(), content.bytes, content.sha256});
  }
  const fs::path to = lab_.runs_root() / "again" / "attempt-1";
  fs::create_directories(to);
  const auto taken = take(entry, to, lab_.digests);
  ASSERT_TRUE(taken);
  EXPECT_EQ(text_of(to / "model/deep/c.json"), "{}");
  EXPECT_EQ(fs::read_symlink(to / "model/latest"), "w.bin");
  EXPECT_EQ(fs::hard_link_count(to / "model/w.bin"), 2U);
  EXPECT_EQ(taken->artifacts[1].path, (to / "*.png").string());
  EXPECT_FALSE(fs::exists(to / "out.log"));

  put("model/deep/more", "x");
  EXPECT_FALSE(take(entry, lab_.runs_root() / "third", lab_.digests));
}

TEST_F(TreeOfFiles, ThatLacksAFileIsALostResult) {
  RunRecord record;
  InstanceRecord& instance = record.instances[{"a", 0}];
  const Content content = content_of(attempt() / "*.png", lab_.digests, Links::kept);
  const auto lost = [&] {
    instance.committed = true;
    instance.artifacts = {{"*.png", (attempt() / "*.png").string(), content.bytes, content.sha256}};
    const auto all = take_out_lost_results(record, lab_.digests);
    return all.empty() ? "" : all.front().why;
  };
  EXPECT_EQ(lost(), "");
  fs::remove(attempt() / "b.png");
  EXPECT_THAT(lost(), HasSubstr("*.png has been changed since it was committed"));
  fs::remove(attempt() / "a.png");
  EXPECT_THAT(lost(), HasSubstr("*.png is gone"));
}

}  // namespace
}  // namespace kernmill::testing
