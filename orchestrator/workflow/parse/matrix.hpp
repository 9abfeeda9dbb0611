#pragma once
#include "kernmill/workflow/parse/axis_sources.hpp"

namespace kernmill {

/// Reads `matrix:`. `broken` tells that something in it was reported.
Matrix read_matrix(const Value& value, const AxisSurroundings& around, bool& broken);

/// Both make the same instances, in the same order.
bool same_instances(const Matrix& a, const Matrix& b);

/// How many instances it makes at most: one when there is none; what `exclude` leaves out is counted.
/// Two when a stage decides it.
std::uint64_t most_instances_of(const Matrix& matrix);

/// More than one instance.
bool has_several_instances(const Matrix& matrix);

}  // namespace kernmill
