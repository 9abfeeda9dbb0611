#include "kernmill/tasks/learn/train/gradient_sum.hpp"

#include <algorithm>
#include <cstring>

#include "kernmill/kernels/tree_fold.hpp"

namespace kernmill::tasks {

using kernels::Device;
using kernels::Host;

namespace {

/// Slices of a long gradient begin at multiples of it.
constexpr std::size_t slice_unit = 1024;

}  // namespace

template <class T>
GradientSum<T>::GradientSum(const Communicator& comm, Summing summing, std::uint64_t pieces,
                            std::size_t losses, bool may_cut)
    : comm_(&comm),
      summing_(summing),
      pieces_(summing == Summing::fast ? static_cast<std::uint64_t>(comm.size()) : pieces),
      may_cut_(may_cut),
      shares_(even_shares(pieces_, comm.size())),
      seconds_(shares_.size()),
      losses_("losses", std::max<std::size_t>(own().count(), 1), losses) {}

template <class T>
void GradientSum<T>::set_shares(LeafShares shares) {
  shares_ = std::move(shares);
  losses_ = kernels::make_matrix<Device>(std::max<std::size_t>(own().count(), 1), losses_.extent(1));
}

template <class T>
bool GradientSum<T>::cuts(std::size_t length) const {
  return may_cut_ && summing_ == Summing::exact && comm_->size() > 1 && length >= long_gradient;
}

template <class T>
storage::IndexRange GradientSum<T>::share(std::size_t length, int rank) const {
  if (!cuts(length)) return {0, length};
  const auto units = storage::even_share((length + slice_unit - 1) / slice_unit, rank, comm_->size());
  return {units.begin * slice_unit, std::min<std::uint64_t>(units.end * slice_unit, length)};
}

template <class T>
void GradientSum<T>::complete(std::span<T> values) const {
  if (!cuts(values.size())) return;
  std::vector<std::uint64_t> counts;
  counts.reserve(static_cast<std::size_t>(comm_->size()));
  for (int rank = 0; rank < comm_->size(); ++rank) counts.push_back(share(values.size(), rank).count());
  comm_->complete(values, std::span<const std::uint64_t>(counts));
}

template <class T>
std::size_t GradientSum<T>::pieces_of(int rank) const {
  return shares_[static_cast<std::size_t>(rank)].count();
}

template <class T>
std::size_t GradientSum<T>::nodes_of(int rank) const {
  if (summing_ == Summing::fast) return 1;
  const storage::IndexRange leaves = shares_[static_cast<std::size_t>(rank)];
  return kernels::whole_subtrees(leaves.begin, leaves.end).size();
}

template <class T>
std::span<const typename GradientSum<T>::Vector> GradientSum<T>::gradients(std::size_t length) {
  const std::size_t nodes = nodes_of(comm_->rank());
  if (length != length_ || gradients_.size() != nodes) {
    gradients_.clear();
    for (std::size_t i = 0; i < nodes; ++i) gradients_.push_back(kernels::make_vector<Device, T>(length));
  }
  length_ = length;
  begun_ = std::chrono::steady_clock::now();
  return gradients_;
}

template <class T>
void GradientSum<T>::ready(GradientPart part) {
  if (summing_ != Summing::fast || comm_->size() == 1) return;
  // Parts come from the end of the gradient to its beginning.
  waiting_ = {part.offset, part.size + waiting_.size};
  for (PendingMessages& sum : pending_) sum.poll();
  if (waiting_.size < gradient_bucket && waiting_.offset > 0) return;
  Device().fence();
  if constexpr (std::is_same_v<Device, Host>)
    pending_.push_back(
        comm_->begin_allreduce(std::span<T>(gradients_[0].data() + waiting_.offset, waiting_.size)));
  waiting_ = {};
}

/// This rank's pieces' losses, one after the other, its wishes and its seconds.
template <class T>
void GradientSum<T>::begin_losses(std::vector<double>& message, unsigned wishes) const {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), losses_);
  message.assign(host.data(), host.data() + own().count() * losses_.extent(1));
  message.push_back(wishes);
  message.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count());
}

template <class T>
std::size_t GradientSum<T>::message_length(int rank) const {
  return pieces_of(rank) * losses_.extent(1) + 2;
}

template <class T>
void GradientSum<T>::take_losses(std::span<const double> messages) {
  const std::size_t length = losses_.extent(1);
  std::vector<double> leaves;
  wishes_ = 0;
  for (int rank = 0; rank < comm_->size(); ++rank) {
    const std::size_t count = pieces_of(rank) * length;
    leaves.insert(leaves.end(), messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(count));
    wishes_ |= static_cast<unsigned>(messages[count]);
    seconds_[static_cast<std::size_t>(rank)] = messages[count + 1];
    messages = messages.subspan(count + 2);
  }
  for (std::size_t step = 1; step < pieces_; step *= 2)
    for (std::size_t i = 0; i + step < pieces_; i += 2 * step)
      for (std::size_t j = 0; j < length; ++j) leaves[i * length + j] += leaves[(i + step) * length + j];
  loss_sums_.assign(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(length));
}

/// Adds up what the ranks gave along the tree: each rank's vectors of `length` lie behind each other.
template <class T>
typename GradientSum<T>::Vector GradientSum<T>::fold(std::span<T* const> given, std::size_t length) {
  kernels::TreeFold<Host, T> tree;
  for (int rank = 0; rank < comm_->size(); ++rank) {
    T* at = given[static_cast<std::size_t>(rank)];
    const storage::IndexRange leaves = shares_[static_cast<std::size_t>(rank)];
    for (const auto& [level, index] : kernels::whole_subtrees(leaves.begin, leaves.end)) {
      tree.add({level, index, kernels::host_vector(at, length)});
      at += length;
    }
  }
  Host().fence();
  return kernels::on_space<Device>(tree.nodes().front().sum.data(), length);
}

template <class T>
void GradientSum<T>::pack(int rank, std::vector<T>& packed) const {
  const storage::IndexRange slice = share(length_, rank);
  for (const Vector& gradient : gradients_) {
    const std::size_t at = packed.size();
    packed.resize(at + slice.count());
    Kokkos::deep_copy(kernels::host_vector(packed.data() + at, slice.count()),
                      kernels::part_of<Device, T>(gradient, slice.begin, slice.count()));
  }
}

/// One message of everything: the gradients, and behind them the losses, whose bits travel as they are.
template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_whole(unsigned wishes) {
  constexpr std::size_t width = std::is_same_v<T, double> ? 1 : 2;  // of T, that have room for a double
  std::vector<double> losses;
  begin_losses(losses, wishes);
  packed_.clear();
  pack(comm_->rank(), packed_);
  const std::size_t at = packed_.size();
  packed_.resize(at + losses.size() * width);
  std::memcpy(packed_.data() + at, losses.data(), losses.size() * sizeof(double));
  std::vector<std::uint64_t> counts;
  counts.reserve(static_cast<std::size_t>(comm_->size()));
  for (int rank = 0; rank < comm_->size(); ++rank)
    counts.push_back(nodes_of(rank) * length_ + message_length(rank) * width);
  received_ = comm_->allgatherv(std::span<const T>(packed_), std::span<const std::uint64_t>(counts));
  std::vector<double> all;
  std::vector<T*> given;
  T* from = received_.data();
  for (int rank = 0; rank < comm_->size(); ++rank) {
    given.push_back(from);
    from += nodes_of(rank) * length_;
    const std::size_t own = message_length(rank);
    all.resize(all.size() + own);
    std::memcpy(all.data() + all.size() - own, from, own * sizeof(double));
    from += own * width;
  }
  take_losses(all);
  return fold(given, length_);
}

template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_slices(unsigned wishes) {
  std::vector<double> losses;
  begin_losses(losses, wishes);
  const std::size_t own = share(length_, comm_->rank()).count();
  // Of one gradient in the host's memory the slices are there as they are sent.
  const bool lies_there = std::is_same_v<Device, Host> && gradients_.size() == 1;
  packed_.clear();
  if (!lies_there)
    for (int rank = 0; rank < comm_->size(); ++rank) pack(rank, packed_);
  T* at = lies_there ? gradients_[0].data() : packed_.data();
  std::size_t others = 0;
  for (int rank = 0; rank < comm_->size(); ++rank) others += rank == comm_->rank() ? 0 : nodes_of(rank) * own;
  received_.resize(others);
  T* to = received_.data();
  std::vector<std::uint64_t> counts;
  std::vector<std::span<const T>> sent;
  std::vector<std::span<T>> received;
  std::vector<T*> given;
  for (int rank = 0; rank < comm_->size(); ++rank) {
    counts.push_back(message_length(rank));
    sent.emplace_back(at, gradients_.size() * share(length_, rank).count());
    const bool is_own = rank == comm_->rank();
    given.push_back(is_own ? at : to);
    received.emplace_back(given.back(), nodes_of(rank) * own);
    at += sent.back().size();
    if (!is_own) to += received.back().size();
  }
  comm_->exchange(std::span<const std::span<const T>>(sent), std::span<const std::span<T>>(received));
  take_losses(comm_->allgatherv(std::span<const double>(losses), std::span<const std::uint64_t>(counts)));
  return fold(given, own);
}

template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_fast(unsigned wishes) {
  std::vector<double> losses;
  begin_losses(losses, wishes);
  const std::vector<std::uint64_t> counts(static_cast<std::size_t>(comm_->size()), losses.size());
  take_losses(comm_->allgatherv(std::span<const double>(losses), std::span<const std::uint64_t>(counts)));
  if constexpr (!std::is_same_v<Device, Host>) {  // through the host's memory
    received_.resize(length_);
    Kokkos::deep_copy(kernels::host_vector(received_.data(), length_), gradients_[0]);
    comm_->allreduce(std::span<T>(received_), Reduction::sum);
    Kokkos::deep_copy(gradients_[0], kernels::host_vector(received_.data(), length_));
  }
  for (PendingMessages& sum : pending_) sum.wait();
  pending_.clear();
  return gradients_[0];
}

template <class T>
BatchSum<T> GradientSum<T>::sum(unsigned wishes) {
  Device().fence();
  BatchSum<T> out;
  out.range = share(length_, comm_->rank());
  if (comm_->size() == 1) {
    std::vector<double> losses;
    begin_losses(losses, wishes);
    take_losses(losses);
    out.gradient = gradients_[0];
  } else if (summing_ == Summing::fast) {
    out.gradient = sum_fast(wishes);
  } else {
    out.gradient = cuts(length_) ? sum_slices(wishes) : sum_whole(wishes);
  }
  out.losses = loss_sums_;
  return out;
}

template class GradientSum<double>;
template class GradientSum<float>;

}  // namespace kernmill::tasks
