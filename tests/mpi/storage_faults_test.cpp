#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <gmock/gmock.h>

#include "kernmill/storage/checkpoint/checkpoint.hpp"
#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/storage/file/durable.hpp"
#include "kernmill/storage/model/model.hpp"
#include "shared_directory.hpp"

/// Faults injected at each step of a commit, so that these run wherever the tests do. The real thing, a full
/// disk and a read-only one, is in data_disk_test.cpp.
namespace kernmill::storage {
namespace {

using kernmill::testing::message_of;
using kernmill::testing::world_rank;
using kernmill::testing::world_size;
using ::testing::HasSubstr;

class FaultsOnOneRank : public kernmill::testing::SharedDirectory {
 protected:
  void TearDown() override {
    set_fault({});
    SharedDirectory::TearDown();
  }
};

using Choice = TransportSettings::Choice;

class FaultsAtEachStep : public FaultsOnOneRank,
                         public ::testing::WithParamInterface<std::tuple<const char*, int, Choice>> {};

Schema one_feature() {
  Schema schema;
  schema.features = {"x"};
  return schema;
}

void write_dataset(const std::filesystem::path& file, Choice transport = Choice::automatic) {
  WriteOptions options;
  options.transport.choice = transport;
  DatasetWriter writer(MPI_COMM_WORLD, file, one_feature(), {8, 0, 0}, options);
  const IndexRange mine = even_share(8, world_rank(), world_size());
  const std::vector<double> features(mine.count(), 1.0);
  const std::vector<std::uint64_t> numbers(mine.count(), 0);
  writer.write(Part::train, mine.begin, features, {}, numbers);
  writer.commit();
}

/// A tensor of which every rank has some.
void write_boxes(const std::filesystem::path& directory, Choice transport) {
  const auto ranks = static_cast<std::uint64_t>(world_size()),
             rank = static_cast<std::uint64_t>(world_rank());
  const std::vector<double> numbers(1 << 18, 1.0);
  const std::vector<TensorBox> boxes{
      {"w", {ranks, numbers.size()}, {{rank, 0}, {1, numbers.size()}}, std::span(numbers)}};
  CheckpointWriter writer(MPI_COMM_WORLD, directory, {}, {}, {transport, {}});
  writer.start(1, "{}", boxes);
  if (const auto outcome = writer.finish(); !outcome->error.empty()) throw Error(outcome->error);
}

TEST_P(FaultsAtEachStep, LeaveNoFileAndTellEveryRank) {
  const auto [step, error, transport] = GetParam();
  set_fault(
      [step = std::string_view(step), error = error](std::string_view at) { return at == step ? error : 0; });
  const std::string reason = std::strerror(error);
  EXPECT_THAT(message_of<Error>([&, by = transport] { write_dataset(directory / "dataset.h5", by); }),
              AllOf(HasSubstr(directory.string()), HasSubstr(reason)));
  EXPECT_THAT(names(), ::testing::IsEmpty());
  const Model model{"softmax", "{}", one_feature(), {{"w", {1}, {1}}}};
  EXPECT_THAT(message_of<Error>([&] {
                write_checkpoint(MPI_COMM_WORLD, directory, {1, "{}", model.parameters}, {}, {},
                                 {std::get<2>(GetParam()), {}});
              }),
              HasSubstr(reason));
  EXPECT_THAT(names(), ::testing::IsEmpty());
  if (std::string_view(step) == "reserve") return;  // a model is small: nothing to reserve
  EXPECT_THAT(message_of<Error>([&] { write_model(MPI_COMM_WORLD, directory / "model.h5", model); }),
              AllOf(HasSubstr(directory.string()), HasSubstr(reason)));
  EXPECT_THAT(names(), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Commit, FaultsAtEachStep,
                         ::testing::Combine(::testing::Values("create", "reserve", "write", "sync", "verify",
                                                              "rename", "sync directory"),
                                            ::testing::Values(ENOSPC, EROFS, EACCES),
                                            ::testing::Values(Choice::posix)));
INSTANTIATE_TEST_SUITE_P(CommitByMpiio, FaultsAtEachStep,
                         ::testing::Combine(::testing::Values("create", "reserve", "write", "sync", "verify",
                                                              "rename", "sync directory"),
                                            ::testing::Values(ENOSPC), ::testing::Values(Choice::mpiio)));

TEST_F(FaultsOnOneRank, AreEverybodysError) {
  const int last = world_size() - 1;
  for (const char* step : {"write", "sync", "verify"})
    for (const Choice transport : {Choice::posix, Choice::mpiio}) {
      set_fault([&](std::string_view at) { return world_rank() == last && at == step ? ENOSPC : 0; });
      EXPECT_THAT(message_of<Error>([&] { write_dataset(directory / "dataset.h5", transport); }),
                  HasSubstr("No space left on device"))
          << step;
      EXPECT_THAT(names(), ::testing::IsEmpty());
      EXPECT_THAT(message_of<Error>([&] { write_boxes(directory, transport); }),
                  HasSubstr("No space left on device"))
          << step;
      EXPECT_THAT(names(), ::testing::IsEmpty());
    }
}

TEST_F(FaultsOnOneRank, WhatTookAnOlderFilesPlaceStaysWhenTheDirectoryCannotBeSynced) {
  const Model before{"softmax", "{}", one_feature(), {{"w", {1}, {1}}}};
  Model after = before;
  after.parameters[0].data = {2};
  write_model(MPI_COMM_WORLD, directory / "model.h5", before);
  set_fault([](std::string_view at) { return at == "sync directory" ? EIO : 0; });
  EXPECT_THROW(write_model(MPI_COMM_WORLD, directory / "model.h5", after), Error);
  set_fault({});
  EXPECT_EQ(read_model(MPI_COMM_WORLD, directory / "model.h5").parameters[0].data, after.parameters[0].data);
}

TEST_F(FaultsOnOneRank, AnOlderCheckpointSurvivesANewOneThatFails) {
  write_checkpoint(MPI_COMM_WORLD, directory, {1, "{}", {{"w", {1}, {1}}}});
  set_fault([](std::string_view at) { return at == "sync" ? ENOSPC : 0; });
  EXPECT_THROW(write_checkpoint(MPI_COMM_WORLD, directory, {2, "{}", {{"w", {1}, {2}}}}), Error);
  set_fault({});
  EXPECT_EQ(load_newest_checkpoint(MPI_COMM_WORLD, directory).checkpoint.step, 1U);
}

// Ends the program: data_program_test.cpp runs it, and looks at what is left in the directory.
TEST(KilledWriter, DISABLED_DiesInMidWrite) {
  const int last = world_size() - 1;
  set_fault([last](std::string_view at) {
    if (at == "write" && world_rank() == last) std::raise(SIGKILL);
    return 0;
  });
  write_dataset(std::filesystem::path(std::getenv("KERNMILL_TEST_DIRECTORY")) / "dataset.h5");
}

TEST_F(FaultsOnOneRank, AMissingDirectoryIsNamed) {
  EXPECT_THAT(message_of<Error>([&] { write_dataset(directory / "absent" / "dataset.h5"); }),
              AllOf(HasSubstr("absent/dataset.h5"), HasSubstr("No such file or directory")));
}

}  // namespace
}  // namespace kernmill::storage
