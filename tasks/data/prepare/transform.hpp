#pragma once
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"

namespace kernmill::tasks {

/// The fitted preprocessing as a function of a row: from the values of the input columns to the features.
/// Each step works on named columns, and so does what follows it. (README.md has the table of steps.)
///
/// | step            | numbers                  | texts      | does                                         |
/// |-----------------|--------------------------|------------|----------------------------------------------|
/// | impute          | a value a column         |            | the value takes the place of a missing one   |
/// | impute_category |                          | one each   | the same for a category                      |
/// | indicator       |                          |            | adds `COLUMN missing`: 1 or 0                |
/// | one_hot         | 1: unknown ones are fine | categories | a column becomes `COLUMN=CATEGORY` for each  |
/// | ordinal         | 1: unknown ones are fine | categories | a category becomes its number; unknown: -1   |
/// | scale           | centers, then scales     |            | (x - center) / scale                         |
/// | rename          |                          | names      | columns get these names                      |
class Transform {
 public:
  /// Throws TaskError for a step that this program does not know, or one that does not fit.
  Transform(const std::vector<storage::InputColumn>& inputs, const std::vector<storage::Step>& steps);
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::size_t width() const { return features_.size(); }
  /// `rows` holds rows of `stride` numbers, each beginning with the inputs in order: a number, or the index
  /// of a category (one that there is not is unknown: no feature of a one_hot is 1), or NaN where it is
  /// missing. Appends rows x width() features.
  void apply(std::span<const double> rows, std::size_t stride, std::vector<double>& features) const;

  enum class Kind { number, missing, one_hot, ordinal };
  struct Feature {
    std::string name;
    std::size_t input = 0;
    Kind kind = Kind::number;
    double category = 0;    ///< one_hot: that is 1
    double categories = 0;  ///< how many are known
    bool imputed = false;
    double fill = 0;
    double center = 0, scale = 1;
    [[nodiscard]] bool is_scaled() const { return center != 0 || scale != 1; }
    /// What is scaled: of the value of the input column.
    [[nodiscard]] double raw(double x) const {
      if (kind == Kind::missing) return std::isnan(x) ? 1 : 0;
      if (imputed && std::isnan(x)) x = fill;
      if (kind == Kind::ordinal && !(x >= 0 && x < categories)) return -1;
      return kind == Kind::one_hot ? (x == category ? 1 : 0) : x;
    }
    [[nodiscard]] double value(double x) const { return (raw(x) - center) / scale; }
  };
  [[nodiscard]] const std::vector<Feature>& features() const { return features_; }
  /// Features that belong together: one, or those of all categories of an input, at most one of which is 1.
  struct Run {
    std::size_t first = 0, count = 1;
    bool one_hot = false;
  };
  [[nodiscard]] std::vector<Run> runs() const;
  /// Of a run of categories: the one that is 1; `count` where there is none.
  [[nodiscard]] std::size_t category_in(const Run& run, const double* row) const {
    const Feature& feature = features_[run.first];
    double x = row[feature.input];
    if (feature.imputed && std::isnan(x)) x = feature.fill;
    if (!(x >= 0 && x < static_cast<double>(run.count))) return run.count;
    const auto category = static_cast<std::size_t>(x);
    return static_cast<double>(category) == x ? category : run.count;
  }

 private:
  [[nodiscard]] std::size_t find(const std::string& name) const;
  void add(const storage::Step& step, const std::vector<storage::InputColumn>& inputs);
  void encode(const storage::Step& step, const std::vector<storage::InputColumn>& inputs);

  std::vector<Feature> features_;
};

}  // namespace kernmill::tasks
