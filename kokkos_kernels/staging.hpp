#pragma once
#include <cstddef>

#include "kernmill/kernels/types.hpp"

namespace kernmill::kernels {

/// Whether the host may touch arrays of the device: it is the device itself, or they share their memory.
inline constexpr bool host_reaches_device =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, Device::memory_space>::accessible;

/// Memory of the host for what comes from the device or goes to it. A GPU copies from and to it by itself, at
/// the speed of the bus, because its pages stay where they are; other memory of the host is copied twice. To
/// make it takes long: whoever needs it keeps it. Where the device is the host it is like any other.
#ifdef KOKKOS_HAS_SHARED_HOST_PINNED_SPACE
using StagingSpace = Kokkos::SharedHostPinnedSpace;
#else  // Kokkos before 4.0
using StagingSpace = Kokkos::HostSpace;
#endif

/// A growing piece of it.
template <class T = double>
class Staging {
 public:
  /// Room for so many values, which are not set.
  void resize(std::size_t size) {
    if (size > memory_.extent(0))
      memory_ = Memory(Kokkos::view_alloc(Kokkos::WithoutInitializing, "staging"), size);
    size_ = size;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* data() const { return memory_.data(); }
  /// Values [first, first + count), as arrays of the device are copied from and to.
  [[nodiscard]] auto part(std::size_t first, std::size_t count) const {
    return Part(memory_.data() + first, count);
  }

 private:
  using Memory = Kokkos::View<T*, Kokkos::LayoutRight, StagingSpace>;
  using Part = Kokkos::View<T*, Kokkos::LayoutRight, StagingSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
  Memory memory_;
  std::size_t size_ = 0;
};

}  // namespace kernmill::kernels
