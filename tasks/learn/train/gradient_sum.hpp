#pragma once
#include <chrono>
#include <span>
#include <vector>

#include "kernmill/kernels/types.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/learn/parallel/batch_cuts.hpp"
#include "kernmill/tasks/learn/parallel/message_memory.hpp"
#include "kernmill/tasks/learn/rows/leaf_shares.hpp"
#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// What a step's batch has come to.
template <class T>
struct BatchSum {
  storage::IndexRange range;  ///< what this rank has of the gradient
  kernels::Vector<kernels::Device, T> gradient;
  std::span<const double> losses;  ///< of all pieces
};

/// Adds up the gradient and the losses of a batch over its pieces and the ranks. A long gradient stays cut:
/// each rank gets a slice of it, whose parameters it updates (ZeRO's first stage: Rajbhandari et al., 2020).
/// On the way the ranks tell each other their wishes (session.hpp), and how long they have worked. Of a
/// device MPI gets the gradients where they are, or, where it does not take that, a copy in the host's
/// memory.
template <class T>
class GradientSum {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  /// `pieces` is a power of two. Without `may_cut` every rank gets the whole gradient. `sends_from_device`:
  /// see MessageMemory.
  GradientSum(const Communicator& comm, Summing summing, std::uint64_t pieces, std::size_t losses,
              bool may_cut, bool sends_from_device = mpi_takes_device_memory());

  /// This rank's pieces: with `fast`, those that lie in its share of the rows.
  [[nodiscard]] storage::IndexRange own() const { return shares_[static_cast<std::size_t>(comm_->rank())]; }
  [[nodiscard]] std::uint64_t pieces() const { return pieces_; }
  /// In place of even shares of the pieces, with exact sums. The same on every rank.
  void set_shares(LeafShares shares);
  /// What of a gradient of this length a rank will get.
  [[nodiscard]] storage::IndexRange share(std::size_t length, int rank) const;
  [[nodiscard]] bool cuts(std::size_t length) const;
  /// Collective where the gradient is cut: each rank has its share of `values` there, and gets the others'.
  void complete(std::span<T> values) const;
  /// The same of an array of the device.
  void complete(const Vector& values);

  /// Where this rank's gradients of `length` go, one for each of its subtrees, and its pieces' losses.
  std::span<const Vector> gradients(std::size_t length);
  [[nodiscard]] kernels::Matrix<kernels::Device> losses() const { return losses_; }
  /// Of `fast`: a part of the gradient is done.
  void ready(GradientPart part);
  /// Collective. Valid until the next call.
  BatchSum<T> sum(unsigned wishes);
  /// All ranks' wishes at the last sum.
  [[nodiscard]] unsigned wishes() const { return wishes_; }
  /// How long each rank worked for the last sum, from `gradients` to `sum`. The same on every rank.
  [[nodiscard]] std::span<const double> seconds() const { return seconds_; }

 private:
  [[nodiscard]] std::size_t nodes_of(int rank) const;
  [[nodiscard]] std::size_t pieces_of(int rank) const;
  [[nodiscard]] std::size_t message_length(int rank) const;
  void set_losses(std::size_t length);
  void begin_losses(std::vector<double>& message, unsigned wishes) const;
  void exchange_losses(unsigned wishes);
  void take_losses(std::span<const double> messages);
  [[nodiscard]] std::size_t pack(int rank, std::size_t at) const;
  [[nodiscard]] std::span<const T> own_gradients();
  std::size_t append(int rank, const Vector& all, std::size_t at, std::size_t length,
                     std::vector<Vector>& given) const;
  [[nodiscard]] Vector fold(const std::vector<Vector>& given) const;
  Vector sum_in_one_message(unsigned wishes);
  Vector sum_whole(unsigned wishes);
  Vector sum_slices(unsigned wishes);
  Vector sum_fast(unsigned wishes);

  const Communicator* comm_;
  Summing summing_;
  std::uint64_t pieces_;
  bool may_cut_;
  LeafShares shares_;
  std::chrono::steady_clock::time_point begun_;
  std::vector<double> seconds_;  ///< of each rank
  std::size_t length_ = 0;
  std::vector<Vector> gradients_;
  kernels::Matrix<kernels::Device> losses_;
  Kokkos::View<double**, Kokkos::LayoutRight, kernels::StagingSpace> losses_on_host_;
  std::vector<double> loss_sums_;
  MessageMemory<T> packed_, received_;
  std::vector<PendingMessages> pending_;
  GradientPart waiting_;  ///< of parts that are too short to be sent alone
  unsigned wishes_ = 0;
};

}  // namespace kernmill::tasks
