#pragma once
#include <span>

#include "kernmill/kernels/staging.hpp"
#include "kernmill/tasks/comm/device_memory.hpp"

namespace kernmill::tasks {

/// Memory that MPI sends arrays of the device from, and receives them in: memory of the device, where MPI
/// takes that, else of the host (kernels::Staging). It is made once and kept.
template <class T>
class MessageMemory {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  explicit MessageMemory(bool is_on_device) : is_on_device_(is_on_device) {}

  /// Whether MPI gets arrays of the device as they are, without a detour by this memory.
  [[nodiscard]] bool is_on_device() const { return is_on_device_; }
  /// Room for so many values, which are not set.
  void resize(std::size_t size) {
    size_ = size;
    is_on_device_ ? reserve_on_device() : host_.resize(size);
  }
  /// As MPI takes them. They may be touched here only where the host reaches the device.
  [[nodiscard]] std::span<T> values() const { return {is_on_device_ ? device_.data() : host_.data(), size_}; }
  /// Copies an array of the device to the values from `at` on; it is there when this returns.
  void put(std::size_t at, const Vector& from) const {
    is_on_device_ ? Kokkos::deep_copy(kernels::part_of<kernels::Device, T>(device_, at, from.extent(0)), from)
                  : Kokkos::deep_copy(host_.part(at, from.extent(0)), from);
  }
  /// The other way.
  void get(std::size_t at, const Vector& to) const {
    is_on_device_ ? Kokkos::deep_copy(to, kernels::part_of<kernels::Device, T>(device_, at, to.extent(0)))
                  : Kokkos::deep_copy(to, host_.part(at, to.extent(0)));
  }
  /// All values on the device, where they may be changed; valid until the next `resize`.
  [[nodiscard]] Vector on_device() {
    reserve_on_device();
    auto all = kernels::part_of<kernels::Device, T>(device_, 0, size_);
    if (!is_on_device_) get(0, all);
    return all;
  }

 private:
  void reserve_on_device() {
    if (device_.extent(0) < size_) device_ = kernels::make_vector<kernels::Device, T>(size_);
  }

  bool is_on_device_;
  std::size_t size_ = 0;
  kernels::Staging<T> host_;
  Vector device_;
};

}  // namespace kernmill::tasks
