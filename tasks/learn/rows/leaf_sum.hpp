#pragma once
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include "kernmill/kernels/staging.hpp"
#include "kernmill/kernels/tree_fold.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/rows/leaf_shares.hpp"
#include "kernmill/tasks/learn/rows/shards.hpp"

namespace kernmill::tasks {

/// Adds up one vector a leaf over all leaves and ranks, along one fixed tree: the bits do not depend on the
/// number of ranks. Each rank works on a contiguous run of leaves; a rank may have none. On the way the ranks
/// tell each other their wishes, bits that say what any of them wants (see session.hpp), and how long they
/// have worked.
template <class Space>
class LeafSum {
 public:
  /// `leaves` is a power of two.
  LeafSum(const Communicator& comm, std::uint64_t leaves, std::size_t length)
      : comm_(&comm), length_(length), shares_(even_shares(leaves, comm.size())), seconds_(shares_.size()) {}

  /// The leaves of this rank.
  [[nodiscard]] storage::IndexRange own() const { return shares_[static_cast<std::size_t>(comm_->rank())]; }

  /// In place of even shares. The same on every rank.
  void set_shares(LeafShares shares) { shares_ = std::move(shares); }

  /// The same on every rank.
  void set_length(std::size_t length) {
    if (length != length_) fold_ = kernels::TreeFold<Space>();  // its vectors would not fit
    length_ = length;
  }

  /// Collective. `work(leaf, values)` sets the `length` values of a leaf. Returns the sum, valid until the
  /// next call.
  template <class Work>
  std::span<const double> operator()(const Work& work, unsigned wishes = 0) {
    const auto begun = std::chrono::steady_clock::now();
    const storage::IndexRange own_leaves = own();
    for (std::uint64_t leaf = own_leaves.begin; leaf < own_leaves.end; ++leaf) {
      auto values = fold_.vector(length_);
      work(leaf, values);
      fold_.add({0, leaf, values});
    }
    Space().fence();
    const bool in_slices = comm_->size() > 1 && length_ >= long_vector;
    const std::chrono::duration<double> worked = std::chrono::steady_clock::now() - begun;
    pack(in_slices ? comm_->size() : 1, wishes, worked.count());
    fold_.clear();
    in_slices ? exchange_slices() : exchange_whole();
    return {gathered_.data() + sum_at_, length_};
  }

  /// All ranks' wishes at the last sum. The same on every rank.
  [[nodiscard]] unsigned wishes() const { return wishes_; }
  /// How long each rank has worked on its leaves at the last sum. The same on every rank.
  [[nodiscard]] std::span<const double> seconds() const { return seconds_; }

 private:
  /// From here on each rank adds up a slice of what all have, instead of all of it.
  static constexpr std::size_t long_vector = 32'768;

  /// Behind the vectors of a message: wishes and seconds.
  static constexpr std::size_t aside = 2;

  [[nodiscard]] auto subtrees_of(int rank) const {
    const storage::IndexRange leaves = shares_[static_cast<std::size_t>(rank)];
    return kernels::whole_subtrees(leaves.begin, leaves.end);
  }

  /// What each of so many slices has of this rank's subtrees, and behind it wishes and seconds.
  void pack(int slices, unsigned wishes, double seconds) {
    packed_.resize(fold_.nodes().size() * length_ + aside * static_cast<std::size_t>(slices));
    double* at = packed_.data();
    for (int slice = 0; slice < slices; ++slice) {
      const storage::IndexRange range = storage::even_share(length_, slice, slices);
      for (const auto& node : fold_.nodes()) {
        Kokkos::deep_copy(kernels::host_vector(at, range.count()),
                          kernels::part_of<Space>(node.sum, range.begin, range.count()));
        at += range.count();
      }
      *at++ = wishes;
      *at++ = seconds;
    }
  }

  void exchange_whole() {
    std::vector<std::uint64_t> counts;
    counts.reserve(static_cast<std::size_t>(comm_->size()));
    for (int rank = 0; rank < comm_->size(); ++rank)
      counts.push_back(subtrees_of(rank).size() * length_ + aside);
    gathered_ = comm_->allgatherv(std::span<const double>(packed_.data(), packed_.size()),
                                  std::span<const std::uint64_t>(counts));
    sum_at_ = static_cast<std::size_t>(fold(gathered_, length_) - gathered_.data());
  }

  void exchange_slices() {
    std::vector<std::uint64_t> lengths, to, from;
    for (int rank = 0; rank < comm_->size(); ++rank) {
      lengths.push_back(storage::even_share(length_, rank, comm_->size()).count());
      to.push_back(subtrees_of(comm_->rank()).size() * lengths.back() + aside);
    }
    std::vector<double> slices = comm_->alltoallv(std::span<const double>(packed_.data(), packed_.size()),
                                                  std::span<const std::uint64_t>(to), from);
    const std::size_t own_length = lengths[static_cast<std::size_t>(comm_->rank())];
    const double* const sum = fold(slices, own_length);
    gathered_ =
        comm_->allgatherv(std::span<const double>(sum, own_length), std::span<const std::uint64_t>(lengths));
    sum_at_ = 0;
  }

  /// Adds up what the ranks gave, vectors of `length`. Returns where the sum is.
  const double* fold(std::vector<double>& given, std::size_t length) {
    kernels::TreeFold<kernels::Host> tree;
    double* at = given.data();
    wishes_ = 0;
    for (int rank = 0; rank < comm_->size(); ++rank) {
      for (const auto& [level, index] : subtrees_of(rank)) {
        tree.add({level, index, kernels::host_vector(at, length)});
        at += length;
      }
      wishes_ |= static_cast<unsigned>(*at++);
      seconds_[static_cast<std::size_t>(rank)] = *at++;
    }
    kernels::Host().fence();
    return tree.nodes().front().sum.data();
  }

  const Communicator* comm_;
  std::size_t length_;
  LeafShares shares_;
  std::vector<double> seconds_;  ///< of each rank
  kernels::TreeFold<Space> fold_;
  kernels::Staging<double> packed_;
  std::vector<double> gathered_;
  std::size_t sum_at_ = 0;  ///< in gathered_
  unsigned wishes_ = 0;
};

}  // namespace kernmill::tasks
