#pragma once
#include <utility>
#include <vector>

#include "kernmill/kernels/types.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// The ranks that have slices of the same layers: a power of two of them. Collective.
template <class T>
class TensorGroup {
 public:
  using Matrix = kernels::Matrix<kernels::Device, T>;
  explicit TensorGroup(Communicator comm) : comm_(std::move(comm)) {}

  [[nodiscard]] const Communicator& comm() const { return comm_; }
  /// In place: the sum along a binary tree of the ranks, which every rank gets. Where each rank's own is a
  /// whole subtree of slices, it has the same bits whatever the number of ranks.
  void sum(const Matrix& values);
  /// `out` (rows x slices * width) gets all ranks' slices (rows x width) beside each other.
  void beside(const std::vector<Matrix>& own, const Matrix& out);

 private:
  Communicator comm_;
  std::vector<T> received_;
};

/// The same of a rank's own slices, a power of two of them: all along the tree into the first one.
template <class T>
void fold_slices(const std::vector<kernels::Matrix<kernels::Device, T>>& slices);

/// Columns [first, first + out's) of a matrix.
template <class T>
void copy_columns(const kernels::Matrix<kernels::Device, T>& all, std::size_t first,
                  const kernels::Matrix<kernels::Device, T>& out);
/// The inverse.
template <class T>
void put_columns(const kernels::Matrix<kernels::Device, T>& part, std::size_t first,
                 const kernels::Matrix<kernels::Device, T>& all);

}  // namespace kernmill::tasks
