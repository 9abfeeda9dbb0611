#include "kernmill/tasks/data/store/row_store.hpp"

#include <gmock/gmock.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {
namespace {

std::vector<double> all_of(const RowStore& store) {
  std::vector<double> all;
  store.each_block([&](std::uint64_t first, std::span<const double> rows) {
    EXPECT_EQ(first, all.size() / store.width());
    all.insert(all.end(), rows.begin(), rows.end());
  });
  return all;
}

TEST(RowStore, KeepsEveryRowInBoundedMemory) {
  const std::uint64_t budget = 64 << 10;
  RowStore store(3, {budget, {std::filesystem::temp_directory_path()}});
  std::vector<double> expected;
  for (int i = 0; i < 50000; ++i) {
    const std::vector<double> row{static_cast<double>(i), 2.0 * i, -1.0};
    store.append(row);
    expected.insert(expected.end(), row.begin(), row.end());
  }
  EXPECT_TRUE(all_of(store) == expected);
  EXPECT_LE(store.peak_bytes(), budget);  // of 1.2 MB
}

TEST(RowStore, PutsRowsAnywhere) {
  for (const std::uint64_t budget : {1 << 20, 100, 1}) {
    RowStore store(2, {budget, {std::filesystem::temp_directory_path()}});
    store.resize(100);
    for (std::uint64_t i = 0; i < 100; ++i)
      store.put(i * 37 % 100, std::vector<double>{static_cast<double>(i * 37 % 100), 1});
    const auto all = all_of(store);
    for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(all[2 * i], static_cast<double>(i));
  }
}

TEST(RowStore, ChangesRowsInPlace) {
  for (const std::uint64_t budget : {1 << 20, 100}) {
    RowStore store(1, {budget, {std::filesystem::temp_directory_path()}});
    for (int i = 0; i < 1000; ++i) store.append(std::vector<double>{1.0 * i});
    store.update([](std::uint64_t first, std::span<double> rows) {
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = -static_cast<double>(first + i);
    });
    EXPECT_EQ(all_of(store).at(999), -999);
    EXPECT_EQ(all_of(store).at(17), -17);
  }
}

TEST(RowStore, KeepsTypedColumnsInTheirOwnSize) {
  using storage::Element;
  const std::vector<Element> types{Element::u8, Element::u8, Element::f32, Element::i32, Element::f64};
  for (const std::uint64_t budget : {200'000, 10'000, 100}) {
    RowStore store(types, {budget, {std::filesystem::temp_directory_path()}});
    std::vector<double> expected;
    const auto row_of = [](int i) {
      return std::vector<double>{static_cast<double>(i % 256), 255.0, static_cast<double>(0.1F) * i,
                                 -70000.0 * i, 0.1 * i};
    };
    for (int i = 0; i < 3000; ++i) {
      auto row = row_of(i);
      row[2] = static_cast<double>(static_cast<float>(row[2]));
      store.append(row);
      row[4] += 1;
      expected.insert(expected.end(), row.begin(), row.end());
    }
    store.update([](std::uint64_t, std::span<double> rows) {
      for (std::size_t i = 4; i < rows.size(); i += 5) rows[i] += 1;
    });
    EXPECT_TRUE(all_of(store) == expected);
    EXPECT_LE(store.peak_bytes(), std::max<std::uint64_t>(budget, 100));
    if (budget == 200'000) {
      EXPECT_LT(store.peak_bytes(), 100'000);  // 120,000 as doubles
    }
    store.resize(3002);
    store.put(3001, row_of(1));
    EXPECT_EQ(all_of(store).at(3001 * 5 + 3), -70000);
  }
}

TEST(RowStore, SaysWhereItCannotWrite) {
  RowStore store(1, {8, {"/nonexistent"}});
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) store.append(std::vector<double>{1});
      },
      TaskError);
}

}  // namespace
}  // namespace kernmill::tasks
