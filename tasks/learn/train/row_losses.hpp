#pragma once
#include <vector>

#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
#include "kernmill/tasks/learn/train/row_pieces.hpp"
#include "kernmill/tasks/models/network/network.hpp"

namespace kernmill::tasks {

/// The losses of a network over all rows of a dataset, in the element type that it computes in. The same bits
/// on any number of ranks.
template <class T>
class RowLosses {
 public:
  /// Keeps this rank's rows where they take no more than `memory` bytes. What it is given has to outlive it.
  RowLosses(const Communicator& comm, const Rows& rows, NetworkOf<T>& network, std::uint64_t memory);
  /// Collective. losses_length() values.
  std::vector<double> operator()(const kernels::Vector<kernels::Device, T>& parameters);

 private:
  NetworkOf<T>& network_;
  LeafSum<kernels::Device> sum_;
  RowPieces pieces_;
  BatchAs<T> as_;
};

}  // namespace kernmill::tasks
