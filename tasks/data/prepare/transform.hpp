#pragma once
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

 private:
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
  };
  [[nodiscard]] std::size_t find(const std::string& name) const;
  void add(const storage::Step& step, const std::vector<storage::InputColumn>& inputs);
  void encode(const storage::Step& step, const std::vector<storage::InputColumn>& inputs);
  [[nodiscard]] double value_of(const Feature& feature, double x) const;

  std::vector<Feature> features_;
};

}  // namespace kernmill::tasks
