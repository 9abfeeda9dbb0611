#pragma once
#include <optional>
#include <string>
#include <vector>

#include "kernmill/tasks/data/store/row_store.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/models/predictor.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// How well classes were predicted. Sums, so that folds can be pooled by adding them.
struct ClassScores {
  std::uint64_t rows = 0;
  std::vector<double>
      confusion;        ///< classes x classes: true class in the outer order, predicted in the inner
  double log_loss = 0;  ///< summed -log p of the true class
  bool has_probabilities = false;
  std::vector<double> log_loss_of_class;  ///< the same, by true class
  std::vector<double> unknown;  ///< rows of a class that the model does not know, by predicted class

  void add(const ClassScores& other);
  [[nodiscard]] Json metrics() const;
};

/// -log p, of a probability of 0 that of the smallest number there is.
double log_loss_of(double probability);

/// How well numbers were predicted: sums over rows, by column.
struct NumberScores {
  std::uint64_t rows = 0;
  std::vector<double> squared_error, absolute_error;
  std::vector<double> sum, squared_deviation;  ///< of the target; the deviation is from its mean

  void add(const NumberScores& other);
  /// rmse and mae over all columns and rows; r2 = 1 - (squared errors) / (squared deviations), left out where
  /// the target does not vary.
  [[nodiscard]] Json metrics() const;
};

/// Collective: each rank predicts its shards. The same bits on any number of ranks.
/// `judged`, where it is given, gets this rank's rows: the true class, then the scores.
ClassScores score_classes(const Communicator& comm, const Rows& rows, const Predictor& predictor,
                          RowStore* judged = nullptr);
NumberScores score_numbers(const Communicator& comm, const Rows& rows, const Predictor& predictor);

/// Throws TaskError when data of schema `data` cannot be given to a model that was trained on `model`: other
/// features, another target (of a model that has one), another scale.
void check_same_meaning(const storage::Schema& model, const storage::Schema& data);

}  // namespace kernmill::tasks
