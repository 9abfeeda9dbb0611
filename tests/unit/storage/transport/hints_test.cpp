#include "kernmill/storage/transport/hints.hpp"

#include <gmock/gmock.h>

namespace kernmill::storage {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

TEST(Hints, GatherWhatIsWrittenOnParallelFileSystems) {
  for (const FileSystem file_system :
       {FileSystem::nfs, FileSystem::gpfs, FileSystem::beegfs, FileSystem::unknown})
    EXPECT_THAT(hints_for(file_system, 4),
                AllOf(Contains(Pair("romio_cb_write", "enable")), Contains(Pair("cb_nodes", "4")),
                      Contains(Pair("romio_ds_read", "disable")), Not(Contains(Key("striping_factor")))));
}

TEST(Hints, LetEachRankWriteItsOwnOnALocalOne) {
  EXPECT_THAT(hints_for(FileSystem::local, 1),
              AllOf(Contains(Pair("romio_cb_write", "disable")), Contains(Pair("romio_ds_write", "disable")),
                    Not(Contains(Key("cb_nodes")))));
}

TEST(Hints, StripeAsManyWaysAsThereAreWritersOnLustre) {
  EXPECT_THAT(hints_for(FileSystem::lustre, 16),
              AllOf(Contains(Pair("striping_factor", "16")), Contains(Pair("striping_unit", "4194304"))));
  EXPECT_THAT(hints_for(FileSystem::lustre, 4000), Contains(Pair("striping_factor", "64")));
}

TEST(Hints, OfTheSettingsGoFirst) {
  const TransportSettings settings{{}, {{"cb_nodes", "2"}, {"romio_cb_write", "automatic"}, {"own", "x"}}};
  EXPECT_THAT(hints_for(FileSystem::lustre, 16, settings),
              AllOf(Contains(Pair("cb_nodes", "2")), Contains(Pair("romio_cb_write", "automatic")),
                    Contains(Pair("own", "x")), Contains(Pair("romio_ds_read", "disable"))));
}

}  // namespace
}  // namespace kernmill::storage
