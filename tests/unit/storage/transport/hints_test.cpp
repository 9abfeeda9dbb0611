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

TEST(Hints, OfStripesAreForTheMakingOfAFile) {
  EXPECT_THAT(stripes_of(hints_for(FileSystem::lustre, 3)), ::testing::SizeIs(2));
  EXPECT_THAT(stripes_of(hints_for(FileSystem::nfs, 3)), ::testing::IsEmpty());
}

TEST(Hints, GiveTheWindowThatGatherersWriteAtAStretch) {
  EXPECT_EQ(window_of({{"romio_cb_write", "enable"}, {"cb_nodes", "3"}, {"cb_buffer_size", "100"}}), 300U);
  EXPECT_EQ(window_of({{"romio_cb_write", "automatic"},
                       {"cb_nodes", "3"},
                       {"cb_buffer_size", "100"},
                       {"striping_unit", "40"}}),
            120U);
  EXPECT_EQ(window_of({{"romio_cb_write", "disable"}, {"cb_nodes", "3"}, {"cb_buffer_size", "100"}}), 0U);
  EXPECT_EQ(window_of({{"romio_cb_write", "enable"}, {"cb_nodes", "900"}, {"cb_buffer_size", "16777216"}}),
            std::uint64_t{1} << 30)
      << "larger transfers fail in some versions";
}

}  // namespace
}  // namespace kernmill::storage
