#pragma once
#include <memory>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/chunk_source.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/models/network/criterion.hpp"

namespace kernmill::tasks {

/// A criterion over all rows, at one point.
struct Evaluation {
  double value = 0;
  std::vector<double> gradient;
  std::vector<double> loss;  ///< the summed loss by part, without weight and penalty
  double right = 0;          ///< rows predicted right, of a class target
};

/// The criterion of a model over all rows of a dataset. The rows are cut into 64 shards, and these into
/// chunks: each rank goes over those of its shards. Values and gradients have the same bits on any number of
/// ranks, and wherever the rows are kept.
class Objective {
 public:
  /// Keeps this rank's rows in memory where they take no more than `memory` bytes, else reads them at each
  /// call. `network` and `session` have to outlive it, and `rows` has to.
  Objective(Session& session, const Rows& rows, Network& network, const Criterion& criterion,
            std::uint64_t memory);
  /// Collective.
  Evaluation operator()(const std::vector<double>& parameters);
  /// The same, but for the gradient. Collective.
  Evaluation without_gradient(const std::vector<double>& parameters);
  /// What the ranks wanted of the session when it was last called.
  [[nodiscard]] unsigned wishes() const { return sum_.wishes(); }

 private:
  [[nodiscard]] std::vector<storage::IndexRange> own_chunks();
  /// Calls back with the chunks of a shard of this rank.
  template <class Take>
  void each_chunk(std::uint64_t leaf, const Take& take);
  void set_losses(Evaluation& at, const std::vector<double>& parameters,
                  std::span<const double> losses) const;

  Session& session_;
  Network& network_;
  Criterion criterion_;
  std::uint64_t rows_;
  LeafSum<kernels::Device> sum_;
  std::vector<std::size_t> first_chunk_;  ///< of each of this rank's shards, and the end
  std::unique_ptr<ChunkSource> source_;
};

}  // namespace kernmill::tasks
