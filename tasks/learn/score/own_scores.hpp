#pragma once
#include <vector>

#include "kernmill/storage/model/model.hpp"
#include "kernmill/tasks/learn/rows/rows.hpp"
#include "kernmill/tasks/support/json.hpp"

namespace kernmill::tasks {

/// How good models without a target are, of one kind and on rows that are given to it part by part. All ranks
/// call it alike, and get the same bits on any number of ranks.
class OwnScores {
 public:
  virtual ~OwnScores() = default;
  /// Whose rows the next ones are; the folds of a search have a model each.
  virtual void take(const storage::Model& model) = 0;
  virtual void add(const Communicator& comm, const Rows& rows) = 0;
  /// Of all rows so far. `report`, where it is given, gets what is no single number.
  virtual Json metrics(const Communicator& comm, Json* report) = 0;
};

}  // namespace kernmill::tasks
