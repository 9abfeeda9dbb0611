#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace kernmill {

/// Memory for large blocks of numbers: in large pages where the system has them, and not filled with zeros
/// first.
template <class T>
struct LargeMemory {
  using value_type = T;
  static constexpr std::size_t page = std::size_t{2} << 20U;

  LargeMemory() = default;
  template <class Other>
  LargeMemory(const LargeMemory<Other>& /*other*/) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < page) return static_cast<T*>(::operator new(bytes));
    void* const memory = std::aligned_alloc(page, (bytes + page - 1) / page * page);
    if (memory == nullptr) throw std::bad_alloc();
    madvise(memory, bytes, MADV_HUGEPAGE);  // a wish
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    count * sizeof(T) < page ? ::operator delete(memory) : std::free(memory);
  }
  template <class Other>
  void construct(Other* at) {
    ::new (static_cast<void*>(at)) Other;
  }
  template <class Other, class... Arguments>
  void construct(Other* at, Arguments&&... arguments) {
    ::new (static_cast<void*>(at)) Other(std::forward<Arguments>(arguments)...);
  }
  friend bool operator==(const LargeMemory&, const LargeMemory&) { return true; }
};

template <class T>
using LargeVector = std::vector<T, LargeMemory<T>>;

}  // namespace kernmill
