#pragma once
#include <cstdint>
#include <limits>
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
  std::vector<std::uint32_t> lags{};  ///< which rows of the window are features, 0 the last; empty: all
};

/// What the values of an input column are. A category is a text or a number that only names something.
enum class ColumnType { number, category };

/// A column of the input as it was before any step. Counts and ranges are those of the training part.
struct InputColumn {
  std::string name;
  ColumnType type = ColumnType::number;
  std::vector<std::string> categories;  ///< of a category, sorted
  double lowest = std::numeric_limits<double>::quiet_NaN(),
         highest = std::numeric_limits<double>::quiet_NaN();  ///< of a number; NaN when not known
  std::uint64_t missing = 0;
  friend bool operator==(const InputColumn&, const InputColumn&) = default;
};

/// A fitted step of the preprocessing: what it does (`kind`), to which columns, with which numbers and texts.
/// tasks/data/prepare/transform.hpp says what they mean for each kind; README.md lists them.
struct Step {
  std::string kind;
  std::vector<std::string> columns;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  friend bool operator==(const Step&, const Step&) = default;
};

/// What the numbers of a dataset mean. A model carries the schema of the data it was trained on, so that raw
/// input can be checked and transformed the same way at deployment.
struct Schema {
  std::vector<InputColumn> inputs;    ///< the columns that the features are made of, in order
  std::vector<Step> steps;            ///< what makes features of them, in order
  std::vector<std::string> features;  ///< d names, in column order
  std::string target;                 ///< column name; empty when there is none
  TargetKind target_kind = TargetKind::none;
  std::vector<std::string> classes;       ///< of a class target, sorted; a label is an index into it
  std::vector<std::string> target_names;  ///< of a numeric target: one a column
  Series series;
  std::vector<std::string> left_out{};  ///< columns of the input that are neither a feature nor the target
  std::string source;                   ///< path of the input as the workflow named it
  std::string split;                    ///< JSON text of the split that made the parts; empty when not known
  std::string weight{};                 ///< the column of the rows' weights; empty: each row counts once
};

/// The columns of the input by name only: what a schema without anything to say of them has.
std::vector<InputColumn> numbers_named(const std::vector<std::string>& names);

}  // namespace kernmill::storage
