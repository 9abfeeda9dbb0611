#include <numeric>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/storage/model/model.hpp"
#include "shared_directory.hpp"

/// Tensors of any type, in models and in checkpoints.
namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::HasSubstr;

using Shape = std::vector<std::uint64_t>;

class Tensors : public kernmill::testing::SharedDirectory {
 protected:
  const Shape shape{1500, 701};  // 4.2 MB of float32, in chunks that begin anywhere in a row

  [[nodiscard]] Box columns(int part, int parts) const {
    const IndexRange range = even_share(shape[1], part, parts);
    return {{0, range.begin}, {shape[0], range.count()}};
  }
  [[nodiscard]] Box rows(int part, int parts) const {
    const IndexRange range = even_share(shape[0], part, parts);
    return {{range.begin, 0}, {range.count(), shape[1]}};
  }
  template <class T>
  [[nodiscard]] std::vector<T> numbers(const Box& box) const {
    std::vector<T> values(volume_of(box));
    Runs(shape, box).each(0, ~std::uint64_t{0}, [&](std::uint64_t at, std::uint64_t to, std::uint64_t count) {
      for (std::uint64_t i = 0; i < count; ++i) values[to + i] = static_cast<T>((at + i) % 251);
    });
    return values;
  }
  /// Tensors of four types at once.
  void write(const Box& box, std::uint64_t step = 1) const {
    const auto doubles = numbers<double>(box);
    const auto floats = numbers<float>(box);
    const auto bytes = numbers<std::uint8_t>(box);
    const auto integers = numbers<std::int32_t>(box);
    const std::vector<std::uint8_t> mine(3, static_cast<std::uint8_t>(world_rank()));
    const auto ranks = static_cast<std::uint64_t>(world_size()),
               rank = static_cast<std::uint64_t>(world_rank());
    const std::vector<TensorBox> boxes{{"odd", {3 * ranks}, {{3 * rank}, {3}}, mine},
                                       {"bytes", shape, box, bytes},
                                       {"floats", shape, box, floats},
                                       {"doubles", shape, box, doubles},
                                       {"integers", shape, box, integers}};
    CheckpointWriter writer(MPI_COMM_WORLD, directory);
    writer.start(step, "{}", boxes);
    EXPECT_EQ(writer.finish()->error, "");
  }
  [[nodiscard]] std::filesystem::path file() const { return directory / "step-1.h5"; }
};

TEST_F(Tensors, OfEachTypeComeBackCutInAnotherWay) {
  write(columns(world_rank(), world_size()));
  const Box box = rows(world_size() - 1 - world_rank(), world_size());
  std::vector<double> doubles(volume_of(box));
  std::vector<float> floats(doubles.size());
  std::vector<std::uint8_t> bytes(doubles.size()), odd(3 * static_cast<std::size_t>(world_size()));
  std::vector<std::int32_t> integers(doubles.size());
  const CheckpointReader reader(MPI_COMM_WORLD, file());
  const std::vector<TensorTarget> targets{{"doubles", box, doubles},
                                          {"floats", box, floats},
                                          {"bytes", box, bytes},
                                          {"integers", box, integers},
                                          {"odd", {{0}, {odd.size()}}, odd}};
  reader.read(targets);
  EXPECT_TRUE(doubles == numbers<double>(box));
  EXPECT_TRUE(floats == numbers<float>(box));
  EXPECT_TRUE(bytes == numbers<std::uint8_t>(box));
  EXPECT_TRUE(integers == numbers<std::int32_t>(box));
  for (std::size_t i = 0; i < odd.size(); ++i) EXPECT_EQ(odd[i], i / 3);
  EXPECT_EQ(reader.tensors()[2].type, Element::f32);
  EXPECT_EQ(reader.read_whole("floats").data.type, Element::f32);
}

TEST_F(Tensors, AreReadAsFloatOrDoubleWhateverTheyAre) {
  write(rows(world_rank(), world_size()));
  const Box box = columns(world_rank(), world_size());
  const CheckpointReader reader(MPI_COMM_WORLD, file());
  for (const char* name : {"doubles", "floats", "bytes", "integers"}) {
    std::vector<double> doubles(volume_of(box));
    std::vector<float> floats(doubles.size());
    const std::vector<TensorTarget> targets{{name, box, doubles}, {name, box, floats}};
    reader.read(targets);
    EXPECT_TRUE(doubles == numbers<double>(box)) << name;
    EXPECT_TRUE(floats == numbers<float>(box)) << name;
  }
  std::vector<std::uint8_t> bytes(volume_of(box));
  const std::vector<TensorTarget> narrow{{"doubles", box, bytes}};
  EXPECT_THAT(message_of<Error>([&] { reader.read(narrow); }),
              HasSubstr("'doubles' is of float64, which is not read as uint8"));
}

TEST_F(Tensors, OfOneNameAreOfOneTypeOnAllRanks) {
  if (world_size() == 1) GTEST_SKIP() << "takes two ranks";
  const std::vector<double> doubles(2);
  const std::vector<float> floats(2);
  const auto rank = static_cast<std::uint64_t>(world_rank());
  std::vector<TensorBox> boxes{
      {"w", {2 * static_cast<std::uint64_t>(world_size())}, {{2 * rank}, {2}}, doubles}};
  if (world_rank() == 1) boxes[0].data = floats;
  CheckpointWriter writer(MPI_COMM_WORLD, directory);
  EXPECT_EQ(message_of<Error>([&] { writer.start(1, "{}", boxes); }),
            "checkpoint: tensor 'w': its type is float64 on rank 0, and float32 on rank 1");
}

TEST_F(Tensors, OfAModelKeepTheirTypes) {
  Model model{"mlp", "{}", {}, {}};
  model.schema.features = {"a"};
  const std::vector<float> floats{0.1F, -0.0F, 1e-42F};
  const std::uint8_t half[]{0x00, 0x3c, 0x01, 0x00};  // 1 and the smallest above 0
  model.parameters = {{"weights", {3}, floats},
                      {"bias", {2}, {1, 0.1}},
                      {"short", {2}, TensorData(Numbers(Element::f16, std::as_bytes(std::span(half))))}};
  const auto path = directory / "model.h5";
  write_model(MPI_COMM_WORLD, path, model);
  const Model back = read_model(MPI_COMM_WORLD, path);
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    EXPECT_EQ(back.parameters[i].data.type, model.parameters[i].data.type);
    EXPECT_TRUE(back.parameters[i].data == model.parameters[i].data);
  }
  EXPECT_EQ(back.parameters[0].data.as<double>()[0], static_cast<double>(0.1F));
  EXPECT_EQ(back.parameters[2].data.as<double>(), (std::vector<double>{1, 0x1p-24}));
  EXPECT_EQ(read_model_outline(path).parameters[0].data.type, Element::f32);
}

}  // namespace
}  // namespace kernmill::storage
