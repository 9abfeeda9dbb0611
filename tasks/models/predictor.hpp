#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/model/model.hpp"

namespace kernmill::tasks {

/// A trained model, ready to predict. No communication: each rank predicts its own rows.
class Predictor {
 public:
  /// Throws TaskError when the model is of a type that this program does not know, or its parameters do not
  /// fit its schema.
  explicit Predictor(const storage::Model& model);
  ~Predictor();
  /// features: rows x d, row-major, as the model knows them (schema.steps already applied).
  /// scores: rows x outputs().
  void predict(std::span<const double> features, std::uint64_t rows, std::span<double> scores) const;
  /// The same of sparse rows: their columns are the model's features. Throws TaskError where a column is
  /// none.
  void predict(const storage::SparseRows& rows, std::span<double> scores) const;
  /// The number of classes of a class target (the largest score wins, ties go to the lowest class), else the
  /// number of target columns.
  [[nodiscard]] int outputs() const;
  /// Whether the scores of a row are probabilities of the classes (they sum to 1).
  [[nodiscard]] bool gives_probabilities() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kernmill::tasks
