#include <numeric>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "shared_directory.hpp"

namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Shape = std::vector<std::uint64_t>;

TEST(Runs, OfABoxInsideAreItsRows) {
  const Runs runs({3, 6}, {{1, 1}, {2, 3}});
  std::vector<std::uint64_t> seen;
  runs.each(0, 18, [&](std::uint64_t at, std::uint64_t from, std::uint64_t count) {
    seen.insert(seen.end(), {at, from, count});
  });
  EXPECT_THAT(seen, ElementsAre(7, 0, 3, 13, 3, 3));
}

TEST(Runs, AreClippedToTheElementsAskedFor) {
  const Runs runs({3, 6}, {{1, 1}, {2, 3}});
  std::vector<std::uint64_t> seen;
  runs.each(8, 14, [&](std::uint64_t at, std::uint64_t from, std::uint64_t count) {
    seen.insert(seen.end(), {at, from, count});
  });
  EXPECT_THAT(seen, ElementsAre(8, 1, 2, 13, 3, 1));
  EXPECT_FALSE(runs.meets(10, 13));
  EXPECT_TRUE(runs.meets(9, 10));
}

TEST(Runs, OfFullInnerDimensionsAreOne) {
  const Runs runs({4, 5, 6}, {{1, 0, 0}, {2, 5, 6}});
  EXPECT_EQ(runs.count(), 1U);
  EXPECT_EQ(runs.begin(0), 30U);
  EXPECT_EQ(runs.length(), 60U);
}

TEST(Runs, OfAnEmptyBoxAreNone) {
  EXPECT_EQ(Runs({4, 5}, {{4, 0}, {0, 5}}).count(), 0U);
  EXPECT_EQ(Runs({4, 0}, {{0, 0}, {4, 0}}).count(), 0U);
}

/// A tensor whose elements are their own numbers, cut in parts.
struct Cut {
  std::string name;
  Shape shape;

  [[nodiscard]] std::vector<double> part(const Box& box, double shift = 0) const {
    std::vector<double> values(volume_of(box));
    Runs(shape, box).each(0, ~std::uint64_t{0}, [&](std::uint64_t at, std::uint64_t to, std::uint64_t count) {
      std::iota(values.begin() + static_cast<std::ptrdiff_t>(to),
                values.begin() + static_cast<std::ptrdiff_t>(to + count), static_cast<double>(at) + shift);
    });
    return values;
  }
};

Box columns(const Shape& shape, int part, int parts) {
  const IndexRange range = even_share(shape[1], part, parts);
  return {{0, range.begin}, {shape[0], range.count()}};
}

Box rows(const Shape& shape, int part, int parts) {
  const IndexRange range = even_share(shape[0], part, parts);
  return {{range.begin, 0}, {range.count(), shape[1]}};
}

class Boxes : public kernmill::testing::SharedDirectory {
 protected:
  const Cut wide{"wide", {1000, 700}};  // 5.3 MiB: 86 blocks in six chunks, the last ones short

  /// Every rank writes its box.
  void write(const Box& box, std::uint64_t step = 1) const {
    const auto data = wide.part(box);
    const std::vector<TensorBox> boxes{{wide.name, wide.shape, box, data}};
    CheckpointWriter writer(MPI_COMM_WORLD, directory);
    writer.start(step, "{}", boxes);
    EXPECT_EQ(writer.finish()->error, "");
  }
  void expect_reads(const Box& box) const {
    std::vector<double> data(volume_of(box), -1);
    const auto newest = take_newest_checkpoint(MPI_COMM_WORLD, directory, [&](const CheckpointReader& in) {
      const std::vector<TensorTarget> wanted{{wide.name, box, data}};
      in.read(wanted);
    });
    EXPECT_TRUE(newest.found);
    EXPECT_THAT(newest.skipped, IsEmpty());
    EXPECT_TRUE(data == wide.part(box));
  }
  /// The message that every rank gets when this rank has this box.
  std::string refusal(const Box& box, const Shape& shape) const {
    const std::vector<double> data(volume_of(box));
    const std::vector<TensorBox> boxes{{"wide", shape, box, data}};
    CheckpointWriter writer(MPI_COMM_WORLD, directory);
    return message_of<Error>([&] { writer.start(1, "{}", boxes); });
  }
};

TEST_F(Boxes, ColumnsComeBackAsRows) {
  write(columns(wide.shape, world_rank(), world_size()));
  expect_reads(rows(wide.shape, world_rank(), world_size()));
}

TEST_F(Boxes, RowsComeBackAsColumns) {
  write(rows(wide.shape, world_rank(), world_size()));
  expect_reads(columns(wide.shape, world_size() - 1 - world_rank(), world_size()));
}

TEST_F(Boxes, OfATensorWholeOnEveryRankTheLowestRanksCounts) {
  const Box all{{0, 0}, wide.shape};
  const auto data = wide.part(all, world_rank());
  const std::vector<TensorBox> boxes{{wide.name, wide.shape, all, data}};
  CheckpointWriter writer(MPI_COMM_WORLD, directory);
  writer.start(1, "{}", boxes);
  EXPECT_EQ(writer.finish()->error, "");
  expect_reads(all);
}

TEST_F(Boxes, ARankWithoutAnyTakesPart) {
  write(world_rank() == 0 ? Box{{0, 0}, wide.shape} : Box{{0, 0}, {0, 700}});
  expect_reads(world_rank() == 0 ? Box{{0, 0}, {0, 700}} : Box{{999, 0}, {1, 700}});
}

TEST_F(Boxes, HoldAsManyDimensionsAsTheyLike) {
  const Cut cube{"cube", {7, 11, 13, 3}};
  const IndexRange mine = even_share(11, world_rank(), world_size());
  const Box slab{{0, mine.begin, 0, 0}, {7, mine.count(), 13, 3}};
  const auto data = cube.part(slab);
  const std::vector<TensorBox> boxes{{cube.name, cube.shape, slab, data}};
  CheckpointWriter writer(MPI_COMM_WORLD, directory);
  writer.start(1, "{}", boxes);
  EXPECT_EQ(writer.finish()->error, "");
  const Box other{{1, 2, 3, 1}, {5, 8, 9, 2}};
  std::vector<double> back(volume_of(other));
  take_newest_checkpoint(MPI_COMM_WORLD, directory, [&](const CheckpointReader& in) {
    const std::vector<TensorTarget> wanted{{cube.name, other, back}};
    in.read(wanted);
  });
  EXPECT_TRUE(back == cube.part(other));
}

TEST_F(Boxes, AGapIsRefusedWithTensorAndRanks) {
  const Box box{{static_cast<std::uint64_t>(world_rank()), 0}, {1, 2}};
  EXPECT_THAT(refusal(box, {10, 2}),
              AllOf(HasSubstr("tensor 'wide'"), HasSubstr("of its 20 elements"), HasSubstr("0")));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Boxes, OverlapsAreRefusedWithTensorAndRanks) {
  if (world_size() == 1) GTEST_SKIP() << "takes two ranks";
  const std::uint64_t first = world_rank() == 0 ? 0 : 1;
  EXPECT_EQ(refusal({{first, 0}, {2, 2}}, {3, 2}),
            "checkpoint: tensor 'wide': [0:2, 0:2] of rank 0 and [1:3, 0:2] of rank 1 overlap");
}

TEST_F(Boxes, ShapesThatDifferAreRefusedWithTensorAndRanks) {
  if (world_size() == 1) GTEST_SKIP() << "takes two ranks";
  const std::uint64_t height = world_rank() == 1 ? 4 : 3;
  EXPECT_EQ(refusal({{0, 0}, {1, 2}}, {height, 2}),
            "checkpoint: tensor 'wide': its shape is (3 x 2) on rank 0, and (4 x 2) on rank 1");
}

TEST_F(Boxes, BeyondTheShapeAreRefused) {
  EXPECT_EQ(refusal({{0, 1}, {3, 2}}, {3, 2}),
            "checkpoint: tensor 'wide': the box [0:3, 1:3] goes beyond the shape (3 x 2)");
}

TEST_F(Boxes, AnotherLayoutInTheSameWriterIsSeen) {
  CheckpointWriter writer(MPI_COMM_WORLD, directory);
  for (std::uint64_t step = 1; step <= 3; ++step) {
    const Box box = step == 2 ? columns(wide.shape, world_rank(), world_size())
                              : rows(wide.shape, world_rank(), world_size());
    const auto data = wide.part(box);
    const std::vector<TensorBox> boxes{{wide.name, wide.shape, box, data}};
    writer.start(step, "{}", boxes);
    EXPECT_EQ(writer.finish()->error, "");
    expect_reads(rows(wide.shape, world_rank(), world_size()));
  }
}

TEST_F(Boxes, ADamagedBlockIsNamedOnEveryRankThoughOneReadsIt) {
  write(rows(wide.shape, world_rank(), world_size()), 1);
  write(rows(wide.shape, world_rank(), world_size()), 2);
  const auto newest = directory / "step-2.h5";
  std::string bytes = content(newest);
  MPI_Barrier(MPI_COMM_WORLD);
  const double marker = 699999;  // the last element, in block 85
  const auto at = bytes.find(std::string(reinterpret_cast<const char*>(&marker), sizeof marker));
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  put(newest, bytes);
  std::uint64_t step = 0;
  const auto found = take_newest_checkpoint(MPI_COMM_WORLD, directory, [&](const CheckpointReader& in) {
    const Box box = rows(wide.shape, world_rank(), world_size());
    std::vector<double> data(volume_of(box));
    const std::vector<TensorTarget> wanted{{wide.name, box, data}};
    in.read(wanted);
    step = in.step();
  });
  EXPECT_EQ(step, 1U);
  EXPECT_THAT(found.skipped, ElementsAre("step-2.h5: checksum of block 85 of 'tensors/wide' is wrong"));
}

}  // namespace
}  // namespace kernmill::storage
