#include "kernmill/tasks/learn/train/gradient_sum.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernmill/kernels/tree_fold.hpp"

namespace kernmill::tasks {

using kernels::Device;

namespace {

/// Slices of a long gradient begin at multiples of it.
constexpr std::size_t slice_unit = 1024;

}  // namespace

template <class T>
GradientSum<T>::GradientSum(const Communicator& comm, Summing summing, std::uint64_t pieces,
                            std::size_t losses, bool may_cut, bool sends_from_device)
    : comm_(&comm),
      summing_(summing),
      pieces_(summing == Summing::fast ? static_cast<std::uint64_t>(comm.size()) : pieces),
      may_cut_(may_cut),
      shares_(even_shares(pieces_, comm.size())),
      seconds_(shares_.size()),
      packed_(sends_from_device && (summing == Summing::exact || kernels::host_reaches_device)),
      received_(sends_from_device) {
  set_losses(losses);
}

template <class T>
void GradientSum<T>::set_losses(std::size_t length) {
  losses_ = kernels::Matrix<Device>("losses", std::max<std::size_t>(own().count(), 1), length);
  losses_on_host_ = Kokkos::create_mirror_view(kernels::StagingSpace(), losses_);
}

template <class T>
void GradientSum<T>::set_shares(LeafShares shares) {
  shares_ = std::move(shares);
  set_losses(losses_.extent(1));
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
void GradientSum<T>::complete(const Vector& values) {
  const std::size_t length = values.extent(0);
  if (!cuts(length)) return;
  Device().fence();
  if (packed_.is_on_device()) return complete(std::span<T>(values.data(), length));
  const storage::IndexRange own = share(length, comm_->rank());
  packed_.resize(length);
  packed_.put(own.begin, kernels::part_of<Device, T>(values, own.begin, own.count()));
  complete(packed_.values());
  packed_.get(0, values);
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
  std::span<T> all(gradients_[0].data(), length_);
  if (!packed_.is_on_device()) {
    packed_.resize(length_);
    packed_.put(waiting_.offset, kernels::part_of<Device, T>(gradients_[0], waiting_.offset, waiting_.size));
    all = packed_.values();
  }
  pending_.push_back(comm_->begin_allreduce(all.subspan(waiting_.offset, waiting_.size)));
  waiting_ = {};
}

/// This rank's pieces' losses, one after the other, its wishes and its seconds.
template <class T>
void GradientSum<T>::begin_losses(std::vector<double>& message, unsigned wishes) const {
  Kokkos::deep_copy(losses_on_host_, losses_);
  message.assign(losses_on_host_.data(), losses_on_host_.data() + own().count() * losses_.extent(1));
  message.push_back(wishes);
  message.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count());
}

/// What `seconds_` tells ends here.
template <class T>
void GradientSum<T>::exchange_losses(unsigned wishes) {
  std::vector<double> losses;
  begin_losses(losses, wishes);
  std::vector<std::uint64_t> counts;
  counts.reserve(static_cast<std::size_t>(comm_->size()));
  for (int rank = 0; rank < comm_->size(); ++rank) counts.push_back(message_length(rank));
  take_losses(comm_->allgatherv(std::span<const double>(losses), std::span<const std::uint64_t>(counts)));
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

/// A rank's vectors of `length`, one for each of its subtrees, which lie behind each other in `all` from `at`
/// on. Returns where they end.
template <class T>
std::size_t GradientSum<T>::append(int rank, const Vector& all, std::size_t at, std::size_t length,
                                   std::vector<Vector>& given) const {
  for (std::size_t i = 0; i < nodes_of(rank); ++i, at += length)
    given.push_back(kernels::part_of<Device, T>(all, at, length));
  return at;
}

/// Adds up along the tree what the ranks gave, in their order.
template <class T>
typename GradientSum<T>::Vector GradientSum<T>::fold(const std::vector<Vector>& given) const {
  kernels::TreeFold<Device, T> tree;
  auto next = given.begin();
  for (const storage::IndexRange& leaves : shares_)
    for (const auto& [level, index] : kernels::whole_subtrees(leaves.begin, leaves.end))
      tree.add({level, index, *next++});
  Device().fence();
  return tree.nodes().front().sum;
}

/// This rank's gradients' slices of a rank. Returns where they end.
template <class T>
std::size_t GradientSum<T>::pack(int rank, std::size_t at) const {
  const storage::IndexRange slice = share(length_, rank);
  for (const Vector& gradient : gradients_) {
    packed_.put(at, kernels::part_of<Device, T>(gradient, slice.begin, slice.count()));
    at += slice.count();
  }
  return at;
}

/// As `exchange` takes them where the gradient is cut, but for this rank's slices, which nobody else wants
/// and whose place holds nothing; else one behind the other.
template <class T>
std::span<const T> GradientSum<T>::own_gradients() {
  if (packed_.is_on_device() && gradients_.size() == 1) return {gradients_[0].data(), length_};
  packed_.resize(gradients_.size() * length_);
  if (!cuts(length_)) {
    static_cast<void>(pack(comm_->rank(), 0));
    return packed_.values();
  }
  std::size_t at = 0;
  for (int rank = 0; rank < comm_->size(); ++rank)
    at = rank == comm_->rank() ? at + gradients_.size() * share(length_, rank).count() : pack(rank, at);
  return packed_.values();
}

/// Of the host, whose latency counts: the gradients, and behind them the losses, whose bits travel as they
/// are.
template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_in_one_message(unsigned wishes) {
  constexpr std::size_t width = std::is_same_v<T, double> ? 1 : 2;  // of T, that have room for a double
  std::vector<double> losses;
  begin_losses(losses, wishes);
  packed_.resize(gradients_.size() * length_ + losses.size() * width);
  const std::size_t at = pack(comm_->rank(), 0);
  std::memcpy(packed_.values().data() + at, losses.data(), losses.size() * sizeof(double));
  std::vector<std::uint64_t> counts;
  counts.reserve(static_cast<std::size_t>(comm_->size()));
  for (int rank = 0; rank < comm_->size(); ++rank)
    counts.push_back(nodes_of(rank) * length_ + message_length(rank) * width);
  received_.resize(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  comm_->allgatherv(std::span<const T>(packed_.values()), received_.values(),
                    std::span<const std::uint64_t>(counts));
  std::vector<double> all;
  std::vector<Vector> given;
  std::size_t from = 0;
  for (int rank = 0; rank < comm_->size(); ++rank) {
    from = append(rank, received_.on_device(), from, length_, given);
    const std::size_t own = message_length(rank);
    all.resize(all.size() + own);
    std::memcpy(all.data() + all.size() - own, received_.values().data() + from, own * sizeof(double));
    from += own * width;
  }
  take_losses(all);
  return fold(given);
}

template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_whole(unsigned wishes) {
  if (kernels::host_reaches_device && packed_.is_on_device()) return sum_in_one_message(wishes);
  exchange_losses(wishes);
  std::vector<std::uint64_t> counts;
  std::size_t total = 0;
  for (int rank = 0; rank < comm_->size(); ++rank) total += counts.emplace_back(nodes_of(rank) * length_);
  received_.resize(total);
  comm_->allgatherv(own_gradients(), received_.values(), std::span<const std::uint64_t>(counts));
  const Vector all = received_.on_device();
  std::vector<Vector> given;
  std::size_t at = 0;
  for (int rank = 0; rank < comm_->size(); ++rank) at = append(rank, all, at, length_, given);
  return fold(given);
}

/// What is this rank's own stays where it is.
template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_slices(unsigned wishes) {
  exchange_losses(wishes);
  const storage::IndexRange own = share(length_, comm_->rank());
  std::size_t total = 0;
  for (int rank = 0; rank < comm_->size(); ++rank)
    if (rank != comm_->rank()) total += nodes_of(rank) * own.count();
  received_.resize(total);
  std::vector<std::span<const T>> sent;
  std::vector<std::span<T>> received;
  std::span<const T> gradients = own_gradients();
  std::span<T> memory = received_.values();
  for (int rank = 0; rank < comm_->size(); ++rank) {
    sent.push_back(gradients.first(gradients_.size() * share(length_, rank).count()));
    gradients = gradients.subspan(sent.back().size());
    received.push_back(memory.first(rank == comm_->rank() ? 0 : nodes_of(rank) * own.count()));
    memory = memory.subspan(received.back().size());
  }
  comm_->exchange<T>(sent, received);
  const Vector others = received_.on_device();
  std::vector<Vector> given;
  std::size_t at = 0;
  for (int rank = 0; rank < comm_->size(); ++rank) {
    if (rank != comm_->rank()) {
      at = append(rank, others, at, own.count(), given);
    } else {
      for (const Vector& gradient : gradients_)
        given.push_back(kernels::part_of<Device, T>(gradient, own.begin, own.count()));
    }
  }
  return fold(given);
}

template <class T>
typename GradientSum<T>::Vector GradientSum<T>::sum_fast(unsigned wishes) {
  exchange_losses(wishes);
  for (PendingMessages& sum : pending_) sum.wait();
  pending_.clear();
  if (!packed_.is_on_device()) packed_.get(0, gradients_[0]);
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
