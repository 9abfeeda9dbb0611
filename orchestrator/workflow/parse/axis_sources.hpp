#pragma once
#include <functional>
#include <string>
#include <vector>

#include "kernmill/workflow/parse/parser.hpp"

namespace kernmill {

/// Axes that vary together, read from something else than a list.
struct SourcedAxes {
  std::vector<Matrix::Axis> axes;  ///< without values where a stage leaves them
  std::vector<Matrix::Later> later;
  std::vector<Matrix::Source> sources;
  [[nodiscard]] bool good() const { return !axes.empty(); }
};

/// Where axes may be read from.
struct AxisSurroundings {
  const Files& files;
  const std::string& base_directory;
  Diagnostics& diagnostics;
  std::vector<Where>& later_where;  ///< gets the place of each `from`
};

/// Reads `{glob: ...}`, `{range: ...}`, `{csv: ...}`, `{zip: ...}` or `{from: ...}` as what the axis, or
/// group of axes, `name` takes. No axes: a mistake was reported.
SourcedAxes read_axis_source(const std::string& name, const Value& source, const AxisSurroundings& around);

/// Whether a map is one of these.
bool is_axis_source(const Value& value);

/// An axis that is a list.
Matrix::Axis axis_of_list(const std::string& name, const Value::List& list);

}  // namespace kernmill
