#pragma once
#include <vector>

#include "kernmill/tasks/learn/batch.hpp"
#include "kernmill/tasks/learn/criterion.hpp"
#include "kernmill/tasks/learn/leaf_sum.hpp"

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
  /// Reads this rank's rows. `network` has to outlive it.
  Objective(const Communicator& comm, const Rows& rows, Network& network, const Criterion& criterion);
  /// Collective.
  Evaluation operator()(const std::vector<double>& parameters);
  [[nodiscard]] bool stop_requested() const { return sum_.stop_requested(); }

 private:
  [[nodiscard]] storage::RowRange shard(std::uint64_t leaf) const;

  Network& network_;
  Criterion criterion_;
  std::uint64_t rows_;
  BatchLoader loader_;
  LeafSum<kernels::Device> sum_;
  std::uint64_t first_row_ = 0;
  Batch batch_;
};

}  // namespace kernmill::tasks
