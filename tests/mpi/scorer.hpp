#pragma once
#include <functional>
#include <span>

#include "kernmill/tasks/models/predictor.hpp"

namespace kernmill::tasks {

/// A model that can be worked out by hand.
struct Scorer : Predictor {
  using Score = std::function<void(std::span<const double> features, std::uint64_t rows, std::span<double>)>;
  explicit Scorer(Score score_of_rows = {}, std::size_t count = 1, bool probabilities = false)
      : score(std::move(score_of_rows)), scores_of_row(count), is_probable(probabilities) {}

  void predict(std::span<const double> features, std::uint64_t rows,
               std::span<double> scores) const override {
    score(features, rows, scores);
  }
  void predict(const storage::SparseRows& rows, std::span<double> scores) const override {
    score_sparse(rows, scores);
  }
  [[nodiscard]] std::size_t outputs() const override { return scores_of_row; }
  [[nodiscard]] bool gives_probabilities() const override { return is_probable; }

  Score score;
  std::function<void(const storage::SparseRows& rows, std::span<double> scores)> score_sparse{};
  std::size_t scores_of_row;
  bool is_probable;
};

}  // namespace kernmill::tasks
