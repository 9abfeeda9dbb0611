#pragma once
#include <span>
#include <vector>

#include "kernmill/kernels/clusters.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/rows/shard_rows.hpp"

namespace kernmill::tasks {

/// What rows say of the clusters that they are in.
struct ClusterSums {
  std::vector<double> sums;    ///< k x features, of rows less the shift
  std::vector<double> counts;  ///< k; what the rows weigh
  double moved = 0;            ///< rows that are in another cluster than at the call before
};

/// The nearest center of each row, kept from one iteration to the next with bounds that say where it cannot
/// have changed (Hamerly, Making k-means even faster, 2010). What comes out are the bits of working all
/// distances out, and those on any number of ranks.
class Assignment {
 public:
  Assignment(const Communicator& comm, ShardRows& rows, const Spread& spread, std::size_t k);

  /// Collective. centers: k x features, less the shift.
  ClusterSums operator()(std::span<const double> centers, unsigned wishes);
  [[nodiscard]] unsigned wishes() const { return sum_.wishes(); }
  /// Collective. The `count` rows that are furthest from their centers, the furthest first, or fewer where no
  /// others that weigh anything are off their centers. After a call.
  [[nodiscard]] std::vector<std::uint64_t> furthest(std::size_t count);
  /// What the rows and the centers are free of.
  [[nodiscard]] const std::vector<double>& shift() const { return shift_; }

 private:
  using Vector = kernels::Vector<kernels::Device>;
  struct Part {
    kernels::Bounds<kernels::Device> bounds;
    Vector sums;     ///< of the chunk, by cluster; empty: not kept
    Vector weights;  ///< of its rows; empty: each counts once
  };
  [[nodiscard]] kernels::Motion<kernels::Device> motion_to(std::span<const double> centers) const;
  /// Adds the chunk's sums.
  void settle(const ShardRows::Chunk& chunk, const kernels::Motion<kernels::Device>& motion,
              const Vector& out);
  [[nodiscard]] bool keeps_sums() const { return k_ <= 512; }

  const Communicator* comm_;
  ShardRows* rows_;
  std::vector<double> shift_;
  double reach_;  ///< the furthest that a row is from the shift
  std::size_t k_, length_;
  double error_ = 0;
  std::vector<Part> parts_;  ///< by chunk
  std::vector<double> last_;
  kernels::Centers<kernels::Device> centers_;
  kernels::Labels<kernels::Device> changed_;
  Vector scratch_;
  LeafSum<kernels::Device> sum_;
  double moved_ = 0;
};

}  // namespace kernmill::tasks
