#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "kernmill/kernels/processor.hpp"

/// What fold_products (product_fold.hpp) is made of.
namespace kernmill::kernels::detail {

template <class T>
struct ProductFold {
  const T* a;
  std::size_t count, a_step;  ///< columns, and how far its rows lie apart
  const T* b;
  std::size_t n;
  std::span<const std::size_t> cuts;
  std::uint64_t first_leaf;
  std::span<T* const> sums;  ///< count x n each
  bool adds;                 ///< to what is there
};

/// Where has_product_tiles.
template <class T>
void fold_products(const ProductFold<T>& of);

#if defined(__GNUC__) && !defined(__CUDACC__) && !defined(__HIPCC__)
inline constexpr bool has_product_tiles = true;

/// Memory that grows, in whole cache lines.
template <class T>
class Scratch {
 public:
  T* at_least(std::size_t size) {
    if (size > size_) {
      values_.reset();
      values_.reset(static_cast<T*>(::operator new(size * sizeof(T), line)));
      size_ = size;
    }
    return values_.get();
  }

 private:
  static constexpr std::align_val_t line{64};
  struct Free {
    void operator()(T* values) const { ::operator delete(values, line); }
  };
  std::unique_ptr<T, Free> values_;
  std::size_t size_ = 0;
};

template <class T>
struct ProductMemory {
  Scratch<T> a, b, tiles;
  std::vector<unsigned> folds;
  static ProductMemory& of_thread() {
    thread_local ProductMemory memory;
    return memory;
  }
};

/// How often what a piece gave is folded with what is there, by piece; and the most that wait at a time.
inline std::size_t count_folds(std::size_t pieces, std::uint64_t first_leaf, std::vector<unsigned>& folds) {
  folds.clear();
  std::vector<unsigned> levels;  // of the subtrees that wait
  std::size_t most = 0;
  for (std::uint64_t leaf = first_leaf; leaf < first_leaf + pieces; ++leaf) {
    unsigned level = 0;
    for (std::uint64_t index = leaf; index % 2 == 1 && !levels.empty() && levels.back() == level;
         index /= 2) {
      levels.pop_back();
      ++level;
    }
    folds.push_back(level);
    levels.push_back(level);
    most = std::max(most, levels.size());
  }
  return most;
}

#define KERNMILL_INLINE __attribute__((always_inline)) inline
#define KERNMILL_UNROLL _Pragma("GCC unroll 16")

/// `columns` of each row, in panels of `width` that lie behind each other, row by row; the last one is filled
/// up with zeros.
template <class T, std::size_t width>
KERNMILL_INLINE void pack(const T* from, std::size_t columns, std::size_t step, std::size_t rows, T* to) {
  for (std::size_t first = 0; first < columns; first += width) {
    const std::size_t there = std::min(width, columns - first);
    for (std::size_t row = 0; row < rows; ++row, to += width) {
      const T* const at = from + row * step + first;
      if (there == width) {
        for (std::size_t i = 0; i < width; ++i) to[i] = at[i];
      } else {
        for (std::size_t i = 0; i < width; ++i) to[i] = i < there ? at[i] : T(0);
      }
    }
  }
}

/// A tile of the sums, `height` x `across` vectors of so many bytes: of packed rows of a and b, over all
/// pieces. The subtrees' sums are left in `tiles`, one behind the other.
template <class T, int bytes, int height, int across>
KERNMILL_INLINE void fold_tile(const T* a, const T* b, std::span<const std::size_t> cuts,
                               const unsigned* folds, T* tiles) {
  typedef T Lanes __attribute__((vector_size(bytes), may_alias));
  constexpr int lanes = bytes / static_cast<int>(sizeof(T)), width = across * lanes;
  for (std::size_t piece = 0; piece + 1 < cuts.size(); ++piece) {
    Lanes sum[height][across];
    KERNMILL_UNROLL for (auto& row : sum) KERNMILL_UNROLL for (Lanes& values : row) values = Lanes{};
    for (std::size_t row = cuts[piece]; row < cuts[piece + 1]; ++row, a += height, b += width) {
      Lanes right[across];
      KERNMILL_UNROLL for (int v = 0; v < across; ++v) right[v] =
          *reinterpret_cast<const Lanes*>(b + v * lanes);
      KERNMILL_UNROLL for (int i = 0; i < height; ++i) KERNMILL_UNROLL for (int v = 0; v < across; ++v)
          sum[i][v] += a[i] * right[v];
    }
    for (unsigned fold = folds[piece]; fold > 0; --fold) {
      tiles -= height * width;
      KERNMILL_UNROLL for (int i = 0; i < height; ++i) KERNMILL_UNROLL for (int v = 0; v < across; ++v)
          sum[i][v] = *reinterpret_cast<const Lanes*>(tiles + i * width + v * lanes) + sum[i][v];
    }
    KERNMILL_UNROLL for (int i = 0; i < height; ++i) KERNMILL_UNROLL for (int v = 0; v < across; ++v) *
        reinterpret_cast<Lanes*>(tiles + i * width + v * lanes) = sum[i][v];
    tiles += height * width;
  }
}

/// The columns [first, first + there) of all sums, there <= width.
template <class T, int bytes, int height, int across>
KERNMILL_INLINE void fold_columns(const ProductFold<T>& of, const T* packed, std::size_t first,
                                  std::size_t there, ProductMemory<T>& memory, T* tiles) {
  constexpr std::size_t width = across * bytes / sizeof(T);
  const std::size_t rows = of.cuts.back();
  T* const b = memory.b.at_least(rows * width);
  pack<T, width>(of.b + first, there, of.n, rows, b);
  for (std::size_t i = 0; i < of.count; i += height) {
    fold_tile<T, bytes, height, across>(packed + i * rows, b, of.cuts, memory.folds.data(), tiles);
    const std::size_t high = std::min<std::size_t>(height, of.count - i);
    for (std::size_t k = 0; k < of.sums.size(); ++k)
      for (std::size_t row = 0; row < high; ++row) {
        const T* const from = tiles + (k * height + row) * width;
        T* const to = of.sums[k] + (i + row) * of.n + first;
        if (of.adds) {
          for (std::size_t j = 0; j < there; ++j) to[j] += from[j];
        } else {
          for (std::size_t j = 0; j < there; ++j) to[j] = from[j];
        }
      }
  }
}

template <class T, int bytes, int height>
KERNMILL_INLINE void fold_products_in(const ProductFold<T>& of) {
  constexpr std::size_t lanes = bytes / sizeof(T);
  ProductMemory<T>& memory = ProductMemory<T>::of_thread();
  const std::size_t rows = of.cuts.back(), panels = (of.count + height - 1) / height;
  const std::size_t waiting = count_folds(of.cuts.size() - 1, of.first_leaf, memory.folds);
  T* const a = memory.a.at_least(panels * height * rows);
  T* const tiles = memory.tiles.at_least((waiting + 1) * height * 3 * lanes);
  pack<T, height>(of.a, of.count, of.a_step, rows, a);
  for (std::size_t first = 0; first < of.n;) {
    const std::size_t left = of.n - first;
    if (left > 2 * lanes) {
      fold_columns<T, bytes, height, 3>(of, a, first, std::min(left, 3 * lanes), memory, tiles);
      first += 3 * lanes;
    } else if (left > lanes) {
      fold_columns<T, bytes, height, 2>(of, a, first, left, memory, tiles);
      break;
    } else {
      fold_columns<T, bytes, height, 1>(of, a, first, left, memory, tiles);
      break;
    }
  }
}

#undef KERNMILL_UNROLL
#undef KERNMILL_INLINE

#if KERNMILL_HAS_PROCESSOR_LEVELS
// Products are rounded once, with the sum: both levels give the same bits.
template <class T>
__attribute__((noinline, target("arch=x86-64-v4"), optimize("O3", "fp-contract=fast"))) void fold_products_v4(
    const ProductFold<T>& of) {
  fold_products_in<T, 64, 8>(of);
}
template <class T>
__attribute__((noinline, target("arch=x86-64-v3"), optimize("O3", "fp-contract=fast"))) void fold_products_v3(
    const ProductFold<T>& of) {
  fold_products_in<T, 32, 4>(of);
}
#endif

template <class T>
void fold_products(const ProductFold<T>& of) {
  if (of.count == 0 || of.n == 0) return;
#if KERNMILL_HAS_PROCESSOR_LEVELS
  if (processor_level() == ProcessorLevel::x86_64_v4) return fold_products_v4<T>(of);
  if (processor_level() == ProcessorLevel::x86_64_v3) return fold_products_v3<T>(of);
#endif
  fold_products_in<T, 16, 4>(of);
}

#else
inline constexpr bool has_product_tiles = false;
#endif

}  // namespace kernmill::kernels::detail
