#include "kernmill/tasks/learn/rows/constant_columns.hpp"

#include <gmock/gmock.h>

namespace kernmill::tasks {
namespace {

using ::testing::ElementsAre;

TEST(ConstantColumns, AreThoseWithOneValueAndNoneMissing) {
  storage::Schema schema;
  schema.inputs = storage::numbers_named({"unknown", "zero", "some", "gaps"});
  schema.inputs[1].lowest = schema.inputs[1].highest = 0;
  schema.inputs[2].lowest = 0, schema.inputs[2].highest = 1;
  schema.inputs[3].lowest = schema.inputs[3].highest = 5, schema.inputs[3].missing = 1;
  schema.inputs.push_back({"colour", storage::ColumnType::category, {"red"}});
  schema.inputs.push_back({"shape", storage::ColumnType::category, {"round", "square"}});
  EXPECT_THAT(constant_columns(schema), ElementsAre("zero", "colour"));
}

TEST(ConstantColumns, AreToldByTheFirstOfThem) {
  EXPECT_EQ(told_constant({"a"}),
            "a column has one value in all training rows, and is nothing to learn from: a (drop, in the "
            "preprocess stage, leaves columns out)");
  EXPECT_THAT(told_constant({"a", "b", "c", "d", "e", "f"}),
              ::testing::StartsWith("6 columns have one value in all training rows, and are nothing to learn "
                                    "from: a, b, c, d, e, ... ("));
}

}  // namespace
}  // namespace kernmill::tasks
