#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace kernmill::storage {

/// What a dataset's target is.
enum class TargetKind { none, classes, numbers };

/// Windows over a time series: how samples were made from the rows of the input, and what undoes it.
struct Series {
  std::string transform;  ///< "none", "difference" or "log_return"; empty: the data is no series
  std::uint32_t window = 0;
  std::uint32_t horizon = 0;
  std::vector<std::string> columns;
};

/// What the numbers of a dataset mean. A model carries the schema of the data it was trained on, so that raw
/// input can be checked and transformed the same way at deployment.
struct Schema {
  std::vector<std::string> features;  ///< d names, in column order
  std::vector<double> mean, scale;    ///< d each when standardised (x - mean) / scale, else empty
  std::string target;                 ///< column name; empty when there is none
  TargetKind target_kind = TargetKind::none;
  std::vector<std::string> classes;       ///< of a class target, sorted; a label is an index into it
  std::vector<std::string> target_names;  ///< of a numeric target: one a column
  Series series;
  std::string source;  ///< path of the input as the workflow named it
};

}  // namespace kernmill::storage
