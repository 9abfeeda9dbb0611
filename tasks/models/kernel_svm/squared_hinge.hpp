#pragma once
#include <memory>
#include <span>
#include <vector>

#include "kernmill/tasks/learn/rows/chunk_source.hpp"
#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/session.hpp"
#include "kernmill/tasks/models/kernel_svm/fourier_map.hpp"

namespace kernmill::tasks {

/// sum over the rows of weight * max(0, 1 - y z(x) . w)^2, of each class against the rest, for random Fourier
/// features z: over all rows of a dataset, the same bits on any number of ranks. Points and directions are
/// features x classes, row-major. All methods are collective.
class SquaredHinge {
 public:
  using Values = std::vector<double>;
  /// `weights` are those of the rows of each class, beside which a row may have one of its own. `session`,
  /// `rows` and `map` have to outlive it.
  SquaredHinge(Session& session, const Rows& rows, FourierMap& map, const Values& weights,
               std::uint64_t memory);

  struct At {
    Values losses;  ///< of each class
    Values gradient;
    double right = 0;  ///< rows predicted right
  };
  /// Moves there.
  At move_to(const Values& point);
  /// The (generalised) Hessian where it is times a direction.
  Values curve(const Values& direction);
  /// Looks along a direction; then losses_at(steps) are those of each class after its step.
  void look_along(const Values& direction);
  Values losses_at(const Values& steps);
  [[nodiscard]] unsigned wishes() const { return wishes_; }

 private:
  using Matrix = kernels::Matrix<kernels::Device>;
  template <class Rowwise>
  Values add_up(const Values& point, std::size_t extra, bool with_gradient, const Rowwise& rowwise);
  [[nodiscard]] double target(std::size_t row, std::size_t k) const { return labels_[row] == k ? 1.0 : -1.0; }

  Session& session_;
  FourierMap& map_;
  std::uint64_t rows_;
  std::size_t classes_;
  ShardChunks chunks_;                  ///< of this rank
  std::vector<std::size_t> first_row_;  ///< of each chunk among this rank's, and the end
  std::unique_ptr<ChunkSource> source_;
  std::vector<std::size_t> labels_;  ///< of this rank's rows
  Values weights_;                   ///< of these: their classes', times their own
  Values outputs_, slopes_;          ///< this rank's rows x classes, at the point and along the direction
  unsigned wishes_ = 0;
};

}  // namespace kernmill::tasks
