#include "kernmill/os/room.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_directory.hpp"

namespace kernmill {
namespace {

using ::testing::HasSubstr;

TEST(Room, IsThereWhereAFileCanBeWritten) {
  const testing::TemporaryDirectory folder;
  EXPECT_EQ(why_no_room(folder.path()), "");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "what it tried with has stayed";
  EXPECT_EQ(why_no_room(folder.path() / "nowhere"), "");
}

TEST(Room, IsMissedWithTheReason) {
  EXPECT_THAT(why_no_room("/proc/self"), ::testing::AnyOf("", HasSubstr("nothing can be written at /proc")));
}

}  // namespace
}  // namespace kernmill
