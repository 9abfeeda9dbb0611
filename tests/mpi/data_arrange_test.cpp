#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "data_fixture.hpp"

/// Which rows a dataset's parts have, in which order, by any number of ranks and in any memory.
namespace kernmill::tasks {
namespace {

using storage::Part;

class Arrange : public Preprocessing {
 protected:
  /// x is the row's number; c is rare for every fifth row; g has seven values.
  static std::string table(int rows) {
    std::string csv = "x,g,c\n";
    for (int i = 0; i < rows; ++i)
      csv += fmt::format("{},group {},{}\n", i, i % 7, i % 5 == 0 ? "rare" : "common");
    return csv;
  }
  std::vector<std::uint64_t> numbers(Part part) { return rows_of(dataset(), part).numbers; }
  /// That one rank writes the same file as all together, and small buffers the same as large ones.
  void expect_same_bytes(const std::string& csv, const Json& changes) {
    run_text(csv, changes);
    const std::string together = content(directory / "dataset.h5");
    MPI_Barrier(comm.handle());
    Json small = changes;
    small["buffer"] = 1000;
    run_text(csv, small);
    EXPECT_TRUE(content(directory / "dataset.h5") == together) << "a small buffer makes another file";
    MPI_Barrier(comm.handle());
    if (comm.is_root()) {
      Spec spec;
      spec.config = kernmill::testing::preprocess_settings(changes);
      spec.inputs["input"] = directory / "input.csv";
      spec.output_directory = directory;
      run_preprocess(spec, Communicator(MPI_COMM_SELF));
      EXPECT_TRUE(content(directory / "dataset.h5") == together) << "one rank writes another file";
    }
    MPI_Barrier(comm.handle());
  }
  void expect_all_rows_once(std::vector<std::uint64_t> rows, std::size_t count) {
    std::sort(rows.begin(), rows.end());
    std::vector<std::uint64_t> expected(count);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(rows, expected);
  }
};

TEST_F(Arrange, FoldsHaveEachRowInOneTest) {
  for (const Json& split : {folds(4, 0), folds(4, 0, true)}) {
    std::vector<std::uint64_t> all;
    for (int fold = 0; fold < 4; ++fold) {
      Json random = split;
      random["offset"] = fold;
      random["seed"] = 3;
      run_text(table(50), {{"target", target("c")}, {"drop", {"g"}}, {"split", random}});
      const auto test = numbers(Part::test);
      EXPECT_NEAR(static_cast<double>(test.size()), 12.5, split["stratify"] == true ? 1.6 : 0.6);
      all.insert(all.end(), test.begin(), test.end());
      const auto rare = std::count_if(test.begin(), test.end(), [](auto i) { return i % 5 == 0; });
      if (split["stratify"] == true) {
        EXPECT_NEAR(static_cast<double>(rare), 2.5, 0.6);
      }
    }
    expect_all_rows_once(all, 50);
  }
}

TEST_F(Arrange, FoldsWithoutASeedAreThoseOfTheRowNumbers) {
  run_text(table(20), {{"target", target("c")}, {"drop", {"g"}}, {"split", folds(5, 2)}});
  EXPECT_EQ(numbers(Part::test), (std::vector<std::uint64_t>{2, 7, 12, 17}));
}

TEST_F(Arrange, AGroupStaysTogether) {
  Json fold = folds(3, 1, false, "g");
  fold["seed"] = 5;
  for (const Json& split : {random_split(0.3, 0.3, false, 11, "g"), fold}) {
    run_text(table(70), {{"target", target("c")}, {"split", split}});
    EXPECT_THAT(dataset().schema().features, ::testing::ElementsAre("x"));  // a group is no feature
    std::map<std::uint64_t, int> parts_of_group;
    for (const Part part : storage::all_parts) {
      std::map<std::uint64_t, int> here;
      for (const auto row : numbers(part)) here[row % 7] = 1;
      for (const auto& [group, one] : here) parts_of_group[group] += one;
    }
    EXPECT_EQ(parts_of_group.size(), 7U);
    for (const auto& [group, parts] : parts_of_group) EXPECT_EQ(parts, 1) << "group " << group;
    EXPECT_FALSE(numbers(Part::test).empty());
  }
}

TEST_F(Arrange, OversamplingRepeatsTheRareRows) {
  run_text(table(50),
           {{"target", target("c")}, {"drop", {"g"}}, {"balance", "oversample"}, {"split", folds(10, 1)}});
  const auto rows = numbers(Part::train);  // 35 common ones, 10 rare ones: three or four times each
  const auto rare = std::count_if(rows.begin(), rows.end(), [](auto i) { return i % 5 == 0; });
  EXPECT_EQ(rare, 35);
  EXPECT_EQ(rows.size(), 70U);
  for (std::uint64_t i = 0; i < 50; i += 5)
    EXPECT_NEAR(static_cast<double>(std::count(rows.begin(), rows.end(), i)), 3.5, 0.5);
  EXPECT_EQ(numbers(Part::test).size(), 5U);
}

TEST_F(Arrange, UndersamplingLeavesCommonRowsOut) {
  run_text(table(50), {{"target", target("c")}, {"drop", {"g"}}, {"balance", "undersample"}});
  auto rows = numbers(Part::train);
  EXPECT_EQ(rows.size(), 20U);
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](auto i) { return i % 5 == 0; }), 10);
  EXPECT_EQ(std::unique(rows.begin(), rows.end()), rows.end());
}

TEST_F(Arrange, AShuffleHasEachRowOnceInAnotherOrder) {
  run_text(table(50), {{"target", target("c")}, {"drop", {"g"}}, {"shuffle", true}, {"seed", 4}});
  const Rows rows = rows_of(dataset(), Part::train);
  EXPECT_FALSE(std::is_sorted(rows.numbers.begin(), rows.numbers.end()));
  expect_all_rows_once(rows.numbers, 50);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(rows.features[i], static_cast<double>(rows.numbers[i]));
    EXPECT_EQ(rows.target[i], rows.numbers[i] % 5 == 0 ? 1 : 0);
  }
}

TEST_F(Arrange, AnyNumberOfRanksAndAnyBufferMakeTheSameFile) {
  const std::string csv = table(311);
  expect_same_bytes(csv, {{"target", target("c")},
                          {"encode", encode("one_hot")},
                          {"scale", "robust"},
                          {"balance", "oversample"},
                          {"shuffle", true},
                          {"split", random_split(0.2, 0.1, true, 7)}});
  expect_same_bytes(
      csv,
      {{"target", target("c")}, {"scale", "standard"}, {"split", random_split(0.2, 0.1, false, 7, "g")}});
}

TEST_F(Arrange, AnyNumberOfRanksAndAnyBufferMakeTheSameWindows) {
  std::string csv = "p,q\n";
  for (int i = 0; i < 300; ++i) csv += fmt::format("{},{}\n", 100 + i % 13, 200 - i % 7);
  expect_same_bytes(
      csv, {{"series", series("log_return", 10, 3)},
            {"scale", "min_max"},
            {"split", {{"type", "chronological"}, {"train", 0.7}, {"validation", 0.1}, {"test", 0.2}}}});
}

}  // namespace
}  // namespace kernmill::tasks
