#pragma once
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/schema.hpp"

namespace kernmill::tasks {

/// The lines of predictions.csv.
class PredictionLines {
 public:
  /// `columns`: what the scores are called, of a model without a target.
  PredictionLines(const storage::Schema& schema, bool probabilities, std::vector<std::string> columns = {});
  [[nodiscard]] std::string header() const;
  /// Appends the line of a row: the class with the largest score, or the scores.
  void append(std::string& text, std::uint64_t row, std::span<const double> scores) const;

 private:
  const storage::Schema* schema_;
  bool probabilities_;
  std::vector<std::string> columns_;
  std::vector<std::string> classes_;  ///< as fields, with the comma in front
};

}  // namespace kernmill::tasks
