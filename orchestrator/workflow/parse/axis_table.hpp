#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernmill/workflow/workflow.hpp"

namespace kernmill {

/// What is wrong with a table of axes, and where in it: line 0 is the whole.
struct TableMistake {
  std::string message, help;
  std::uint64_t line = 0, column = 0;
};

/// Whether it can be the name of an axis.
bool is_axis_name(std::string_view word);

/// The columns of a CSV text, the axis `name` each, zipped. `wanted`: these, in that order; empty: all.
/// Numbers keep their text, what is in quotes is a text. Throws TableMistake.
std::vector<Matrix::Axis> axes_of_csv(std::string_view text, char delimiter,
                                      const std::vector<std::string>& wanted);

/// One value, typed as in the workflow, at the end of an axis.
void add_value(Matrix::Axis& axis, const Value& value);
/// A text as YAML types it where it stands alone.
Value plain_value(std::string_view text);

}  // namespace kernmill
