#pragma once
#include <span>
#include <vector>

#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Into how many contiguous pieces the rows of a full-batch method are cut, whatever the number of ranks.
inline constexpr std::uint64_t shard_count = 64;

/// Adds up one vector a leaf over all leaves and ranks, along one fixed tree: the bits do not depend on the
/// number of ranks. Each rank works on a contiguous run of leaves; a rank may have none. On the way the ranks
/// tell each other their wishes, bits that say what any of them wants (see session.hpp).
template <class Space>
class LeafSum {
 public:
  /// `leaves` is a power of two.
  LeafSum(const Communicator& comm, std::uint64_t leaves, std::size_t length)
      : comm_(&comm), leaves_(leaves), length_(length) {
    for (int rank = 0; rank < comm.size(); ++rank) {
      counts_.push_back(subtrees_of(rank).size() * length + 1);  // the last one is the wishes
    }
  }

  /// The leaves of this rank.
  [[nodiscard]] storage::IndexRange own() const {
    return storage::even_share(leaves_, comm_->rank(), comm_->size());
  }

  /// Collective. `work(leaf, values)` sets the `length` values of a leaf. Returns the sum, valid until the
  /// next call.
  template <class Work>
  std::span<const double> operator()(const Work& work, unsigned wishes = 0) {
    fold_own(work);
    packed_.back() = wishes;
    gathered_ = comm_->allgatherv(std::span<const double>(packed_), std::span<const std::uint64_t>(counts_));
    return fold_all();
  }

  /// All ranks' wishes at the last sum. The same on every rank.
  [[nodiscard]] unsigned wishes() const { return wishes_; }

 private:
  [[nodiscard]] auto subtrees_of(int rank) const {
    const auto leaves = storage::even_share(leaves_, rank, comm_->size());
    return kernels::whole_subtrees(leaves.begin, leaves.end);
  }

  template <class Work>
  void fold_own(const Work& work) {
    const storage::IndexRange own_leaves = own();
    for (std::uint64_t leaf = own_leaves.begin; leaf < own_leaves.end; ++leaf) {
      auto values = fold_.vector(length_);
      work(leaf, values);
      fold_.add({0, leaf, values});
    }
    Space().fence();
    packed_.resize(fold_.nodes().size() * length_ + 1);
    std::size_t at = 0;
    for (const auto& node : fold_.nodes()) {
      Kokkos::deep_copy(kernels::host_vector(packed_.data() + at, length_), node.sum);
      at += length_;
    }
    fold_.clear();
  }

  std::span<const double> fold_all() {
    kernels::TreeFold<kernels::Host> tree;
    double* at = gathered_.data();
    wishes_ = 0;
    for (int rank = 0; rank < comm_->size(); ++rank) {
      for (const auto& [level, index] : subtrees_of(rank)) {
        tree.add({level, index, kernels::host_vector(at, length_)});
        at += length_;
      }
      wishes_ |= static_cast<unsigned>(*at++);
    }
    kernels::Host().fence();
    return {tree.nodes().front().sum.data(), length_};
  }

  const Communicator* comm_;
  std::uint64_t leaves_;
  std::size_t length_;
  kernels::TreeFold<Space> fold_;
  std::vector<std::uint64_t> counts_;  ///< of what each rank gives
  std::vector<double> packed_, gathered_;
  unsigned wishes_ = 0;
};

}  // namespace kernmill::tasks
