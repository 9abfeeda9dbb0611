#include "kernmill/tasks/learn/train/row_losses.hpp"

#include <utility>

#include "kernmill/tasks/learn/rows/shards.hpp"

namespace kernmill::tasks {

template <class T>
RowLosses<T>::RowLosses(const Communicator& comm, const Rows& rows, NetworkOf<T>& network,
                        std::uint64_t memory)
    : network_(network), sum_(comm, shard_count, network.losses_length()) {
  std::vector<storage::IndexRange> chunks;
  const storage::IndexRange own = sum_.own();
  for (std::uint64_t leaf = own.begin; leaf < own.end; ++leaf) {
    first_chunk_.push_back(chunks.size());
    append_chunks(shard_of(rows.count(), leaf), NetworkOf<T>::chunk_rows, chunks);
  }
  first_chunk_.push_back(chunks.size());
  source_ = open_chunk_source(rows, network.shape().loss, std::move(chunks), memory);
}

template <class T>
std::vector<double> RowLosses<T>::operator()(const kernels::Vector<kernels::Device, T>& parameters) {
  const auto losses = sum_([&](std::uint64_t leaf, const kernels::Vector<kernels::Device>& out) {
    Kokkos::deep_copy(kernels::Device(), out, 0.0);
    const std::size_t own = leaf - sum_.own().begin;
    for (std::size_t i = first_chunk_[own]; i < first_chunk_[own + 1]; ++i)
      network_.add_losses(parameters, as_(source_->chunk(i)), out);
  });
  return {losses.begin(), losses.end()};
}

template class RowLosses<double>;
template class RowLosses<float>;

}  // namespace kernmill::tasks
