#include "kernmill/tasks/models/network/device_rows.hpp"

namespace kernmill::tasks {
namespace {

template <class T>
auto array_on_device(std::span<const T> values) {
  using Array = kernels::SparseRows<kernels::Host>::Array<T>;
  return Kokkos::create_mirror_view_and_copy(kernels::Device::memory_space(),
                                             Array(values.data(), values.size()));
}

}  // namespace

kernels::SparseRows<kernels::Device> on_device(const storage::SparseRows& rows) {
  return on_device(rows.begins, rows.columns, rows.values);
}

kernels::SparseRows<kernels::Device> on_device(std::span<const std::uint64_t> begins,
                                               std::span<const std::uint32_t> columns,
                                               std::span<const double> values) {
  return {array_on_device(begins), array_on_device(columns), array_on_device(values)};
}

}  // namespace kernmill::tasks
