#include "kernmill/tasks/learn/parallel/tensor_group.hpp"

#include <algorithm>
#include <span>

#include "kernmill/kernels/reduce.hpp"
#include "kernmill/storage/even_share.hpp"

namespace kernmill::tasks {

using kernels::Device;

namespace {

template <class T>
kernels::Vector<Device, T> flat(const kernels::Matrix<Device, T>& matrix) {
  return kernels::Vector<Device, T>(matrix.data(), matrix.size());
}

auto columns_of(std::size_t first, std::size_t count) {
  return std::pair(first, first + count);
}

}  // namespace

template <class T>
void fold_slices(const std::vector<kernels::Matrix<Device, T>>& slices) {
  for (std::size_t step = 1; step < slices.size(); step *= 2)
    for (std::size_t i = 0; i + step < slices.size(); i += 2 * step)
      kernels::add<Device, T>(Device(), flat<T>(slices[i + step]), flat<T>(slices[i]));
}

template <class T>
void copy_columns(const kernels::Matrix<Device, T>& all, std::size_t first,
                  const kernels::Matrix<Device, T>& out) {
  Kokkos::deep_copy(Device(), out, Kokkos::subview(all, Kokkos::ALL(), columns_of(first, out.extent(1))));
}

template <class T>
void put_columns(const kernels::Matrix<Device, T>& part, std::size_t first,
                 const kernels::Matrix<Device, T>& all) {
  Kokkos::deep_copy(Device(), Kokkos::subview(all, Kokkos::ALL(), columns_of(first, part.extent(1))), part);
}

template <class T>
void TensorGroup<T>::sum(const Matrix& values) {
  if (comm_.size() == 1) return;
  Device().fence();
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values);
  const std::span<T> all(host.data(), host.size());
  const storage::IndexRange own = storage::even_share(all.size(), comm_.rank(), comm_.size());
  const std::size_t count = own.count();
  const auto ranks = static_cast<std::size_t>(comm_.size());
  received_.resize(count * ranks);
  std::vector<std::uint64_t> shares;
  std::vector<std::span<const T>> sent;
  std::vector<std::span<T>> received;
  for (int rank = 0; rank < comm_.size(); ++rank) {
    const storage::IndexRange part = storage::even_share(all.size(), rank, comm_.size());
    shares.push_back(part.count());
    sent.push_back(all.subspan(part.begin, part.count()));
    received.push_back(std::span(received_).subspan(static_cast<std::size_t>(rank) * count, count));
  }
  comm_.exchange<T>(sent, received);
  const auto self = static_cast<std::size_t>(comm_.rank());
  std::ranges::copy(sent[self], received[self].begin());
  for (std::size_t step = 1; step < ranks; step *= 2)
    for (std::size_t i = 0; i + step < ranks; i += 2 * step)
      for (std::size_t j = 0; j < count; ++j) received_[i * count + j] += received_[(i + step) * count + j];
  std::copy_n(received_.begin(), count, all.begin() + static_cast<std::ptrdiff_t>(own.begin));
  comm_.complete(all, std::span<const std::uint64_t>(shares));
  Kokkos::deep_copy(values, host);
}

template <class T>
void TensorGroup<T>::beside(const std::vector<Matrix>& own, const Matrix& out) {
  Device().fence();
  const std::size_t each = own.front().size(), width = own.front().extent(1);
  const auto ranks = static_cast<std::size_t>(comm_.size());
  std::vector<T> all(each * own.size() * ranks);
  const auto slice = [&](std::size_t i) { return all.data() + i * each; };
  for (std::size_t i = 0; i < own.size(); ++i)
    Kokkos::deep_copy(
        kernels::host_vector(slice(static_cast<std::size_t>(comm_.rank()) * own.size() + i), each),
        flat<T>(own[i]));
  const std::vector<std::uint64_t> counts(ranks, each * own.size());
  comm_.complete(std::span<T>(all), std::span<const std::uint64_t>(counts));
  const auto host = Kokkos::create_mirror_view(out);
  for (std::size_t i = 0; i < own.size() * ranks; ++i)
    for (std::size_t row = 0; row < out.extent(0); ++row)
      std::copy_n(slice(i) + row * width, width, host.data() + row * out.extent(1) + i * width);
  Kokkos::deep_copy(out, host);
}

template class TensorGroup<double>;
template class TensorGroup<float>;
template void fold_slices<double>(const std::vector<kernels::Matrix<Device, double>>&);
template void fold_slices<float>(const std::vector<kernels::Matrix<Device, float>>&);
template void copy_columns<double>(const kernels::Matrix<Device, double>&, std::size_t,
                                   const kernels::Matrix<Device, double>&);
template void copy_columns<float>(const kernels::Matrix<Device, float>&, std::size_t,
                                  const kernels::Matrix<Device, float>&);
template void put_columns<double>(const kernels::Matrix<Device, double>&, std::size_t,
                                  const kernels::Matrix<Device, double>&);
template void put_columns<float>(const kernels::Matrix<Device, float>&, std::size_t,
                                 const kernels::Matrix<Device, float>&);

}  // namespace kernmill::tasks
