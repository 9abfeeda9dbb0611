#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "shared_directory.hpp"

namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

std::vector<double> ramp(std::size_t n) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<double>(i) * 0.5 - 3;
  return values;
}

Checkpoint checkpoint_at(std::uint64_t step) {
  return {step,
          "{\"epoch\": " + std::to_string(step) + "}",
          {{"weights", {100, 3000}, ramp(300000)}, {"momentum", {7}, ramp(7)}, {"none", {0}, {}}}};
}

class Checkpoints : public kernmill::testing::SharedDirectory {
 protected:
  void write(std::uint64_t step, int keep = 2) const {
    write_checkpoint(MPI_COMM_WORLD, directory, checkpoint_at(step), {keep});
  }
  [[nodiscard]] LoadedCheckpoint load() const {
    MPI_Barrier(MPI_COMM_WORLD);
    return load_newest_checkpoint(MPI_COMM_WORLD, directory);
  }
};

void expect_same(const Checkpoint& actual, const Checkpoint& expected) {
  EXPECT_EQ(actual.step, expected.step);
  EXPECT_EQ(actual.state, expected.state);
  ASSERT_EQ(actual.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < actual.tensors.size(); ++i) {
    EXPECT_EQ(actual.tensors[i].name, expected.tensors[i].name);
    EXPECT_EQ(actual.tensors[i].shape, expected.tensors[i].shape);
    EXPECT_TRUE(actual.tensors[i].data == expected.tensors[i].data);
  }
}

TEST_F(Checkpoints, TheNewestComesBackOnEveryRank) {
  write(9);
  write(10);
  const auto loaded = load();
  ASSERT_TRUE(loaded.found);
  EXPECT_TRUE(loaded.skipped.empty());
  expect_same(loaded.checkpoint, checkpoint_at(10));
}

TEST_F(Checkpoints, NoneIsNoError) {
  EXPECT_FALSE(load().found);
  EXPECT_FALSE(load_newest_checkpoint(MPI_COMM_WORLD, directory / "absent").found);
}

TEST_F(Checkpoints, OnlyTheNewestAreKept) {
  for (const std::uint64_t step : {5, 10, 15, 20}) write(step, 2);
  EXPECT_THAT(names(), UnorderedElementsAre("step-15.h5", "step-20.h5"));
}

TEST_F(Checkpoints, ATruncatedOneIsPassedOver) {
  write(1);
  write(2);
  const auto newest = directory / "step-2.h5";
  const std::string whole = content(newest);
  MPI_Barrier(MPI_COMM_WORLD);
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{20}, std::size_t{0}}) {
    put(newest, whole.substr(0, size));
    const auto loaded = load();
    ASSERT_TRUE(loaded.found) << size;
    EXPECT_EQ(loaded.checkpoint.step, 1U);
    EXPECT_THAT(loaded.skipped, ElementsAre(HasSubstr("step-2.h5")));
  }
}

TEST_F(Checkpoints, AFlippedBitOfATensorIsFoundAndItsBlockNamed) {
  write(1);
  write(2);
  const auto newest = directory / "step-2.h5";
  std::string bytes = content(newest);
  MPI_Barrier(MPI_COMM_WORLD);
  const double marker = 200000 * 0.5 - 3;  // element 200000 lies in block 24 of 8192 doubles each
  const auto at = bytes.find(std::string(reinterpret_cast<const char*>(&marker), sizeof marker));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 0x10);
  put(newest, bytes);
  const auto loaded = load();
  EXPECT_EQ(loaded.checkpoint.step, 1U);
  EXPECT_THAT(loaded.skipped, ElementsAre("step-2.h5: checksum of block 24 of 'tensors/weights' is wrong"));
}

TEST_F(Checkpoints, NoFlippedBitChangesWhatIsLoaded) {
  const Checkpoint small{3, "{}", {{"w", {4}, ramp(4)}}};
  write_checkpoint(MPI_COMM_WORLD, directory, small);
  const auto file = directory / "step-3.h5";
  const std::string whole = content(file);
  MPI_Barrier(MPI_COMM_WORLD);
  int passed_over = 0;
  const std::size_t stride = 1 + whole.size() / 150;
  for (std::size_t at = 0; at < whole.size(); at += stride) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
    put(file, bytes);
    const auto loaded = load();
    if (loaded.found) expect_same(loaded.checkpoint, small);  // a byte that nobody reads
    passed_over += loaded.found ? 0 : 1;
  }
  EXPECT_GT(passed_over, 10);
}

TEST_F(Checkpoints, WritingGoesOnBehindADamagedNewerOne) {
  write(1);
  write(7);
  put(directory / "step-7.h5", "damaged");
  EXPECT_EQ(load().checkpoint.step, 1U);
  write(2);
  EXPECT_THAT(names(), UnorderedElementsAre("step-1.h5", "step-2.h5"));
}

class EncryptedCheckpoints : public Checkpoints {
 protected:
  [[nodiscard]] static Key key(int first) {
    std::array<std::byte, Key::size> bytes{};
    bytes[0] = static_cast<std::byte>(first);
    return Key(bytes);
  }
  void SetUp() override {
    Checkpoints::SetUp();
    write_checkpoint(MPI_COMM_WORLD, directory, checkpoint_at(1), {}, key(1));
    write_checkpoint(MPI_COMM_WORLD, directory, checkpoint_at(2), {}, key(1));
  }
};

TEST_F(EncryptedCheckpoints, ComeBackWithTheirKey) {
  const auto loaded = load_newest_checkpoint(MPI_COMM_WORLD, directory, key(1));
  ASSERT_TRUE(loaded.found);
  expect_same(loaded.checkpoint, checkpoint_at(2));
}

TEST_F(EncryptedCheckpoints, HoldNoPlainNumbersAndNoPlainState) {
  const double marker = 200000 * 0.5 - 3;
  const auto bytes = content(directory / "step-2.h5");
  EXPECT_EQ(bytes.find(std::string(reinterpret_cast<const char*>(&marker), sizeof marker)),
            std::string::npos);
  EXPECT_EQ(bytes.find("epoch"), std::string::npos);
}

TEST_F(EncryptedCheckpoints, WithAnotherKeyOrNoneAreAnErrorAndNotPassedOver) {
  EXPECT_THAT(message_of<KeyError>([&] { load_newest_checkpoint(MPI_COMM_WORLD, directory, key(2)); }),
              HasSubstr("step-2.h5: the key is not the one"));
  EXPECT_THAT(message_of<KeyError>([&] { (void)load(); }), HasSubstr("step-2.h5: is encrypted"));
}

TEST_F(EncryptedCheckpoints, AChangedByteIsPassedOver) {
  std::string bytes = content(directory / "step-2.h5");
  MPI_Barrier(MPI_COMM_WORLD);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  put(directory / "step-2.h5", bytes);
  const auto loaded = load_newest_checkpoint(MPI_COMM_WORLD, directory, key(1));
  EXPECT_THAT(loaded.skipped, ElementsAre(HasSubstr("of 'tensors/weights' is not what was encrypted")));
  expect_same(loaded.checkpoint, checkpoint_at(1));
}

TEST_F(Checkpoints, AFileLeftByAKilledWriterIsNoCheckpoint) {
  write(1);
  put(directory / ".step-7.h5.0123456789abcdef.partial", "half");
  put(directory / ".step-2.h5.partial", "half");  // as they were called once
  EXPECT_EQ(load().checkpoint.step, 1U);
  write(2);
  EXPECT_EQ(load().checkpoint.step, 2U);
  EXPECT_THAT(names(), UnorderedElementsAre("step-1.h5", "step-2.h5"));
}

}  // namespace
}  // namespace kernmill::storage
