#include "kernmill/tasks/learn/rows/device_part.hpp"

#include <algorithm>

namespace kernmill::tasks {

using kernels::Device;

namespace {

/// Room for rows like these.
template <class T>
BatchOf<T> room_for(std::size_t rows, const BatchOf<T>& like) {
  BatchOf<T> room;
  room.features = kernels::make_matrix<Device, T>(rows, like.features.extent(1));
  if (like.labels.data() != nullptr) room.labels = kernels::Labels<Device>("labels", rows);
  if (like.numbers.data() != nullptr)
    room.numbers = kernels::make_matrix<Device, T>(rows, like.numbers.extent(1));
  if (like.weights.data() != nullptr) room.weights = kernels::make_vector<Device>(rows);
  return room;
}

}  // namespace

template <class T>
DevicePart<T>::DevicePart(const Rows& rows, Loss loss) {
  constexpr std::uint64_t at_once = 16'384;  // rows, which the host has in float64 meanwhile
  BatchLoader loader(rows, loss);
  BatchAs<T> as;
  for (std::uint64_t first = 0; first < rows.count(); first += at_once) {
    const BatchOf<T> some =
        as(loader.load(storage::IndexRange{first, std::min(first + at_once, rows.count())}));
    if (first == 0) all_ = room_for(rows.count(), some);
    take(some, first);
  }
  reading_ = loader.reading();
}

template <class T>
void DevicePart<T>::take(const BatchOf<T>& rows, std::size_t first) {
  const BatchOf<T> to = part_of(all_, first, rows.rows());
  Kokkos::deep_copy(to.features, rows.features);
  if (to.labels.data() != nullptr) Kokkos::deep_copy(to.labels, rows.labels);
  if (to.numbers.data() != nullptr) Kokkos::deep_copy(to.numbers, rows.numbers);
  if (to.weights.data() != nullptr) Kokkos::deep_copy(to.weights, rows.weights);
}

template <class T>
void DevicePart<T>::reserve(std::size_t rows) {
  if (rows <= numbers_.extent(0)) return;
  batch_ = room_for(rows, all_);
  numbers_ = kernels::RowNumbers<Device>("numbers", rows);
}

template <class T>
BatchOf<T> DevicePart<T>::load(std::span<const std::uint64_t> numbers) {
  if (numbers.empty()) return {};
  reserve(numbers.size());
  const Device space;
  const kernels::RowNumbers<Device> rows(numbers_.data(), numbers.size());
  Kokkos::deep_copy(
      rows, kernels::RowNumbers<kernels::Host>(const_cast<std::uint64_t*>(numbers.data()), numbers.size()));
  BatchOf<T> out = part_of(batch_, 0, numbers.size());
  kernels::gather_rows<Device, T>(space, all_.features, rows, out.features);
  if (out.labels.data() != nullptr)
    kernels::gather<Device, int>(space, kernels::Vector<Device, int>(all_.labels.data(), all_.labels.size()),
                                 rows, kernels::Vector<Device, int>(out.labels.data(), out.labels.size()));
  if (out.numbers.data() != nullptr) kernels::gather_rows<Device, T>(space, all_.numbers, rows, out.numbers);
  if (out.weights.data() != nullptr) kernels::gather<Device, double>(space, all_.weights, rows, out.weights);
  return out;
}

template class DevicePart<double>;
template class DevicePart<float>;

}  // namespace kernmill::tasks
