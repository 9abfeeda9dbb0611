#include "kernmill/tasks/learn/train/row_losses.hpp"

namespace kernmill::tasks {

template <class T>
RowLosses<T>::RowLosses(const Communicator& comm, const Rows& rows, NetworkOf<T>& network,
                        std::uint64_t memory)
    : network_(network),
      sum_(comm, shard_count, network.losses_length()),
      pieces_(rows, network.shape().loss, RowPlan{.memory = memory}, sum_.own(), NetworkOf<T>::chunk_rows) {}

template <class T>
std::vector<double> RowLosses<T>::operator()(const kernels::Vector<kernels::Device, T>& parameters) {
  const auto losses = sum_([&](std::uint64_t shard, const kernels::Vector<kernels::Device>& out) {
    Kokkos::deep_copy(kernels::Device(), out, 0.0);
    pieces_.each(shard,
                 [&](const Batch& rows, std::uint64_t) { network_.add_losses(parameters, as_(rows), out); });
  });
  return {losses.begin(), losses.end()};
}

template class RowLosses<double>;
template class RowLosses<float>;

}  // namespace kernmill::tasks
