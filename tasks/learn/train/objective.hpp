#pragma once
#include <vector>

#include "kernmill/tasks/learn/rows/batch.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/models/criterion.hpp"

namespace kernmill::tasks {

/// A criterion over all rows, at one point.
struct Evaluation {
  double value = 0;
  std::vector<double> gradient;
  std::vector<double> loss;  ///< the summed loss by part, without weight and penalty
  double right = 0;          ///< rows predicted right, of a class target
};

/// The criterion of a model over all rows of a dataset. The rows are cut into 64 shards; each rank keeps
/// those of its shards on the device. Values and gradients have the same bits on any number of ranks.
class Objective {
 public:
  /// Reads this rank's rows. `network` and `session` have to outlive it.
  Objective(Session& session, const Rows& rows, Network& network, const Criterion& criterion);
  /// Collective.
  Evaluation operator()(const std::vector<double>& parameters);
  /// What the ranks wanted of the session when it was last called.
  [[nodiscard]] unsigned wishes() const { return sum_.wishes(); }

 private:
  [[nodiscard]] storage::IndexRange shard(std::uint64_t leaf) const;

  const Session& session_;
  Network& network_;
  Criterion criterion_;
  std::uint64_t rows_;
  BatchLoader loader_;
  LeafSum<kernels::Device> sum_;
  std::uint64_t first_row_ = 0;
  Batch batch_;
};

}  // namespace kernmill::tasks
