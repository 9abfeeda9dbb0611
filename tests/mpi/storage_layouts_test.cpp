#include <cstdlib>
#include <map>
#include <numeric>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "shared_directory.hpp"

/// A network as training with data x tensor x pipeline parallelism would cut it: saved by one layout, loaded
/// by another. CI takes every layout on either side, a few pairs of each; KERNMILL_LONG=1 takes all pairs.
namespace kernmill::storage {
namespace {

using kernmill::testing::world_rank;
using kernmill::testing::world_size;

using Shape = std::vector<std::uint64_t>;

bool takes_all_pairs() {
  const char* value = std::getenv("KERNMILL_LONG");
  return value != nullptr && std::string(value) == "1";
}

/// How many ways each kind of parallelism cuts.
struct Parallel {
  int data = 1, tensor = 1, pipeline = 1;
  [[nodiscard]] int ranks() const { return data * tensor * pipeline; }
  [[nodiscard]] std::string name() const {
    return std::to_string(data) + "x" + std::to_string(tensor) + "x" + std::to_string(pipeline);
  }
};

/// Every layout of up to so many ranks.
std::vector<Parallel> layouts_up_to(int ranks) {
  std::vector<Parallel> all;
  for (int data = 1; data <= ranks; ++data)
    for (int tensor = 1; data * tensor <= ranks; ++tensor)
      for (int pipeline = 1; data * tensor * pipeline <= ranks; ++pipeline)
        all.push_back({data, tensor, pipeline});
  return all;
}

/// A piece of the network, without its numbers.
struct Piece {
  std::string name;
  Shape shape;
  Box box;
};

/// Ranks in the order data, pipeline, tensor. Layers go to the stages of the pipeline in contiguous runs;
/// within a layer every other weight is split by columns, with its bias, and the next by rows, its bias
/// whole. The optimizer's moments are cut as the weights are; the step count is everybody's.
std::vector<Piece> pieces_of(const Parallel& parallel, int rank) {
  const Shape widths{19, 64, 23, 40, 31, 17, 10};
  const int part = rank % parallel.tensor, stage = rank / parallel.tensor % parallel.pipeline;
  const IndexRange layers = even_share(widths.size() - 1, stage, parallel.pipeline);
  std::vector<Piece> pieces{{"steps", {1}, {{0}, {1}}}};
  if (stage == 0) {  // 1.2 MB, so that ranks share a chunk, and more than one
    const IndexRange cut = even_share(300, part, parallel.tensor);
    pieces.push_back({"embedding", {500, 300}, {{0, cut.begin}, {500, cut.count()}}});
  }
  for (std::uint64_t i = layers.begin; i < layers.end; ++i) {
    const std::uint64_t in = widths[i], out = widths[i + 1];
    const bool by_columns = i % 2 == 0;
    const IndexRange cut = even_share(by_columns ? out : in, part, parallel.tensor);
    const Box weights =
        by_columns ? Box{{0, cut.begin}, {in, cut.count()}} : Box{{cut.begin, 0}, {cut.count(), out}};
    const IndexRange of_bias = by_columns ? cut : IndexRange{0, out};
    const Box bias{{of_bias.begin}, {of_bias.count()}};
    for (const char* of : {"weights", "first_of_weights", "second_of_weights"})
      pieces.push_back({"layer_" + std::to_string(i) + "_" + of, {in, out}, weights});
    for (const char* of : {"bias", "first_of_bias", "second_of_bias"})
      pieces.push_back({"layer_" + std::to_string(i) + "_" + of, {out}, bias});
  }
  return pieces;
}

/// The number at a place of a tensor: every bit of it depends on both.
double number_at(const std::string& name, std::uint64_t element) {
  std::uint64_t hash = std::hash<std::string>{}(name) ^ (element * 0x9E3779B97F4A7C15ULL);
  hash = (hash ^ (hash >> 31U)) * 0xBF58476D1CE4E5B9ULL;
  return static_cast<double>((hash ^ (hash >> 29U)) >> 11U) * 0x1p-53 - 0.5;
}

std::vector<double> numbers_of(const Piece& piece) {
  std::vector<double> numbers(volume_of(piece.box));
  Runs(piece.shape, piece.box)
      .each(0, ~std::uint64_t{0}, [&](std::uint64_t at, std::uint64_t to, std::uint64_t count) {
        for (std::uint64_t i = 0; i < count; ++i) numbers[to + i] = number_at(piece.name, at + i);
      });
  return numbers;
}

/// The first ranks of the world; the others have none.
class Ranks {
 public:
  explicit Ranks(int count) { MPI_Comm_split(MPI_COMM_WORLD, world_rank() < count ? 0 : 1, 0, &comm_); }
  ~Ranks() { MPI_Comm_free(&comm_); }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  [[nodiscard]] MPI_Comm get() const { return comm_; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

class Layouts : public kernmill::testing::SharedDirectory {
 protected:
  const std::vector<Parallel> all = layouts_up_to(world_size());
  std::map<int, std::unique_ptr<Ranks>> ranks;

  void SetUp() override {
    SharedDirectory::SetUp();
    for (int count = 1; count <= world_size(); ++count) ranks[count] = std::make_unique<Ranks>(count);
  }
  void TearDown() override {
    ranks.clear();
    SharedDirectory::TearDown();
  }

  void save(const Parallel& by) const {
    if (world_rank() >= by.ranks()) return;
    std::vector<std::vector<double>> numbers;
    std::vector<TensorBox> boxes;
    for (const Piece& piece : pieces_of(by, world_rank())) {
      numbers.push_back(numbers_of(piece));
      boxes.push_back({piece.name, piece.shape, piece.box, numbers.back()});
    }
    CheckpointWriter writer(ranks.at(by.ranks())->get(), directory / by.name());
    writer.start(1, "{}", boxes);
    EXPECT_EQ(writer.finish()->error, "") << by.name();
  }

  void load(const Parallel& by, const Parallel& saved_by) const {
    if (world_rank() >= by.ranks()) return;
    const auto pieces = pieces_of(by, world_rank());
    std::vector<std::vector<double>> numbers;
    std::vector<TensorTarget> targets;
    for (const Piece& piece : pieces) {
      numbers.emplace_back(volume_of(piece.box), -1);
      targets.push_back({piece.name, piece.box, numbers.back()});
    }
    const auto newest = take_newest_checkpoint(ranks.at(by.ranks())->get(), directory / saved_by.name(),
                                               [&](const CheckpointReader& reader) { reader.read(targets); });
    EXPECT_TRUE(newest.found) << saved_by.name() << " by " << by.name();
    for (std::size_t i = 0; i < pieces.size(); ++i)
      EXPECT_TRUE(numbers[i] == numbers_of(pieces[i]))
          << pieces[i].name << " saved by " << saved_by.name() << ", loaded by " << by.name();
  }
};

TEST_F(Layouts, WhatOneSavesAnotherLoadsBitForBit) {
  for (const Parallel& by : all) save(by);
  MPI_Barrier(MPI_COMM_WORLD);
  const std::size_t step = takes_all_pairs() ? 1 : 13;
  std::size_t pairs = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = i % step; j < all.size(); j += step, ++pairs) load(all[j], all[i]);
  if (world_rank() == 0) {
    RecordProperty("pairs", static_cast<int>(pairs));
    std::printf("%zu layouts of up to %d ranks, %zu pairs\n", all.size(), world_size(), pairs);
  }
}

// The file knows nothing of the layout: whoever wrote it, its bytes are the same.
TEST_F(Layouts, AllSaveTheSameBytesOfWhatTheyHoldInTheSameOrder) {
  for (const Parallel& by : all)
    if (by.pipeline == 1) save(by);
  MPI_Barrier(MPI_COMM_WORLD);
  const std::string expected = content(directory / "1x1x1" / "step-1.h5");
  for (const Parallel& by : all) {
    if (by.pipeline > 1) continue;
    EXPECT_TRUE(content(directory / by.name() / "step-1.h5") == expected) << by.name();
  }
}

}  // namespace
}  // namespace kernmill::storage
