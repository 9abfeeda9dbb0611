#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernmill/storage/dataset/encoding.hpp"

namespace kernmill::tasks {

/// A trained model, ready to predict. No communication: each rank predicts its own rows.
class Predictor {
 public:
  virtual ~Predictor() = default;
  /// features: rows x d, row-major, as the model knows them (schema.steps already applied).
  /// scores: rows x outputs().
  virtual void predict(std::span<const double> features, std::uint64_t rows,
                       std::span<double> scores) const = 0;
  /// The same of sparse rows: their columns are the model's features. Throws TaskError where a column is
  /// none.
  virtual void predict(const storage::SparseRows& rows, std::span<double> scores) const = 0;
  /// How many scores a row has: the number of classes of a class target (the largest score wins, ties go to
  /// the lowest class), the number of target columns, or that of `columns`.
  [[nodiscard]] virtual std::size_t outputs() const = 0;
  /// Whether the scores of a row are probabilities of the classes (they sum to 1).
  [[nodiscard]] virtual bool gives_probabilities() const { return false; }
  /// What the scores of a model without a target are called; empty where the schema's target says it.
  [[nodiscard]] virtual std::vector<std::string> columns() const { return {}; }
};

/// Throws TaskError for a value of a feature that a model of so many has not: it would be read from behind
/// its parameters.
void require_features(const storage::SparseRows& rows, std::uint64_t features);

}  // namespace kernmill::tasks
