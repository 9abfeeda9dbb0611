#include "kernmill/base/counted.hpp"

#include <gtest/gtest.h>

namespace kernmill {
namespace {

TEST(Counted, OneThingAloneIsSingular) {
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(2, "row"), "2 rows");
  EXPECT_EQ(counted(18'446'744'073'709'551'615U, "row"), "18446744073709551615 rows");
}

}  // namespace
}  // namespace kernmill
