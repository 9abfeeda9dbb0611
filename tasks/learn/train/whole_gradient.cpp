#include "kernmill/tasks/learn/train/whole_gradient.hpp"

#include <utility>

#include "kernmill/kernels/sparse.hpp"

namespace kernmill::tasks {

using kernels::Device;

namespace {

using Places = kernels::SparseRows<Device>::Array<std::uint32_t>;

/// Rows of the block's weights.
Places rows_of_features(const FeatureBlock& block, std::span<const std::uint32_t> features) {
  const kernels::Vector<kernels::Host, std::uint32_t> rows("rows", features.size());
  for (std::size_t i = 0; i < features.size(); ++i)
    rows(i) = features[i] - static_cast<std::uint32_t>(block.first);
  return Kokkos::create_mirror_view_and_copy(Device::memory_space(), rows);
}

}  // namespace

template <class T>
WholeGradient<T>::WholeGradient(std::size_t parameters, std::vector<FeatureBlock> blocks)
    : blocks_(std::move(blocks)), whole_(kernels::make_vector<Device, T>(parameters)) {}

template <class T>
std::size_t WholeGradient<T>::compact_length(std::span<const std::uint32_t> features) const {
  std::size_t length = whole_.extent(0);
  for (const FeatureBlock& block : blocks_)
    length -= (block.count - block.among(features).count()) * block.outputs;
  return length;
}

template <class T>
typename WholeGradient<T>::Vector WholeGradient<T>::operator()(const Vector& compact,
                                                               std::span<const std::uint32_t> features) {
  std::size_t from = 0, to = 0;
  for (const FeatureBlock& block : blocks_) {
    const storage::IndexRange own = block.among(features);
    kernels::scatter_rows<Device, T>(Device(),
                                     kernels::matrix_of<Device, T>(compact, from, own.count(), block.outputs),
                                     rows_of_features(block, features.subspan(own.begin, own.count())),
                                     kernels::matrix_of<Device, T>(whole_, to, block.count, block.outputs));
    from += own.count() * block.outputs;
    to += block.count * block.outputs;
  }
  const std::size_t rest = compact.extent(0) - from;
  Kokkos::deep_copy(Device(), kernels::part_of<Device, T>(whole_, to, rest),
                    kernels::part_of<Device, T>(compact, from, rest));
  return whole_;
}

template class WholeGradient<double>;
template class WholeGradient<float>;

}  // namespace kernmill::tasks
