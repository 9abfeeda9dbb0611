#include "kernmill/tasks/data/store/scratch_file.hpp"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "kernmill/tasks/data/store/ordered_text.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"
#include "temporary_directory.hpp"

namespace kernmill::tasks {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const storage::Key some_key(std::array<std::byte, storage::Key::size>{std::byte{7}});

/// The bytes of the files in a directory that this process holds open and that have no name.
std::string on_disk(const fs::path& directory) {
  std::string all;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone);
    if (!target.starts_with(directory.string()) || !target.ends_with("(deleted)")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    all += (std::ostringstream() << in.rdbuf()).str();
  }
  return all;
}

class ScratchFiles : public ::testing::Test {
 protected:
  kernmill::testing::TemporaryDirectory directory;
  [[nodiscard]] Scratch plain() const { return {directory.path()}; }
  [[nodiscard]] Scratch sealed() const { return {directory.path(), some_key}; }

  static void write(ScratchFile& file, const std::string& text, std::uint32_t generation = 0) {
    file.write(0, std::as_bytes(std::span(text)), generation);
  }
  static std::string read(const ScratchFile& file, std::size_t from, std::size_t size,
                          std::uint32_t generation = 0) {
    std::string text(size, '\0');
    file.read(from, std::as_writable_bytes(std::span(text)), generation);
    return text;
  }
};

TEST_F(ScratchFiles, HaveNoNameAndArePlainWithoutAKey) {
  ScratchFile file(plain());
  write(file, "a secret");
  EXPECT_EQ(read(file, 2, 6), "secret");
  EXPECT_TRUE(fs::is_empty(directory.path()));
  EXPECT_EQ(on_disk(directory.path()), "a secret");
}

TEST_F(ScratchFiles, AreEncryptedWithAKey) {
  ScratchFile file(sealed());
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += fmt::format("secret {}\n", i);  // a few pieces
  write(file, text);
  EXPECT_TRUE(read(file, 0, text.size()) == text);
  EXPECT_EQ(read(file, 600'001, 77), text.substr(600'001, 77));
  const std::string there = on_disk(directory.path());
  EXPECT_EQ(there.size(), text.size());
  EXPECT_THAT(there, Not(HasSubstr("secret")));

  write(file, text, 1);  // the same bytes at the same place
  EXPECT_TRUE(read(file, 0, text.size(), 1) == text);
  EXPECT_FALSE(on_disk(directory.path()) == there);
}

TEST_F(ScratchFiles, OfEqualContentDiffer) {
  ScratchFile one(sealed()), two(sealed());
  for (ScratchFile* file : {&one, &two}) write(*file, "the same text, which is long enough");
  const std::string both = on_disk(directory.path());
  EXPECT_FALSE(both.substr(0, both.size() / 2) == both.substr(both.size() / 2));
}

TEST_F(ScratchFiles, OfRowsAreEncryptedWhateverBecomesOfTheRows) {
  RowStore store(2, {100, sealed()});
  store.resize(1000);
  for (std::uint64_t i = 0; i < 1000; ++i)
    store.put(i * 37 % 1000, std::vector<double>{static_cast<double>(i * 37 % 1000), 5});
  for (int pass = 0; pass < 3; ++pass)
    store.update([](std::uint64_t, std::span<double> rows) {
      for (double& x : rows) x += 1;
    });
  std::uint64_t row = 0;
  store.each_block([&](std::uint64_t, std::span<const double> rows) {
    for (std::size_t i = 0; i < rows.size(); i += 2, ++row) {
      EXPECT_EQ(rows[i], static_cast<double>(row + 3));
      EXPECT_EQ(rows[i + 1], 8);
    }
  });
  EXPECT_EQ(row, 1000U);
  const double eight = 8;
  const std::string bytes(reinterpret_cast<const char*>(&eight), sizeof(eight));
  const std::string there = on_disk(directory.path());
  EXPECT_GT(there.size(), 14'000U);
  EXPECT_EQ(there.find(bytes), std::string::npos);
}

TEST_F(ScratchFiles, HoldTheTextThatIsTooLongForTheMemory) {
  for (const Scratch& scratch : {plain(), sealed()}) {
    OrderedText text(scratch, 100);
    std::string expected, found;
    for (int i = 0; i < 1000; ++i) {
      const std::string line = fmt::format("line {}\n", i);
      text.append(line);
      expected += line;
    }
    text.each_piece([&](std::uint64_t offset, std::string_view piece) {
      EXPECT_EQ(offset, found.size());
      EXPECT_LE(piece.size(), 100U + 10U);
      found += piece;
    });
    EXPECT_EQ(found, expected);
    EXPECT_EQ(text.size(), expected.size());
    EXPECT_GT(on_disk(directory.path()).size(), 9'000U - 200U);
  }
}

}  // namespace
}  // namespace kernmill::tasks
