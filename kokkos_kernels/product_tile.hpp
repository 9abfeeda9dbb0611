#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "kernmill/kernels/math.hpp"
#include "kernmill/kernels/processor.hpp"
#include "kernmill/kernels/threads.hpp"

/// What fold_products (product_fold.hpp) is made of.
namespace kernmill::kernels::detail {

/// A matrix as products read it: where row i of column j lies.
template <class T>
struct Factor {
  const T* first;
  std::size_t step;         ///< from a row to the next; of a flipped one, from a column to the next
  bool is_flipped = false;  ///< column by column
};

template <class T>
struct ProductFold {
  Factor<T> a;
  std::size_t count;  ///< a's columns
  Factor<T> b;
  std::size_t n;
  std::span<const std::size_t> cuts;
  std::uint64_t first_leaf;
  std::span<T* const> sums;  ///< count x n each
  bool adds = false;         ///< to what is there
  const T* bias = nullptr;   ///< of each column, where there is one; then nothing is added to what is there
  bool rectifies = false;    ///< the sums with their biases
  const T* rectified = nullptr;  ///< count x n: what relu gave, whose slope the sums are multiplied by
};

/// Where has_product_tiles. The same bits on any number of threads.
template <class T>
void fold_products(const ProductFold<T>& of);

/// What the blocks of a product share.
template <class T>
struct FoldPlan {
  const T* a;             ///< packed
  const unsigned* folds;  ///< count_folds
  std::size_t waiting;
};
/// A part of the sums: a panel's columns from `column` on, and of these the rows [row, end).
struct FoldBlock {
  std::size_t column, row, end;
};

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

template <int step, class Lanes, std::size_t... j>
KERNMILL_INLINE void swap_blocks(Lanes& above, Lanes& below, std::index_sequence<j...> /*lanes*/) {
  constexpr std::size_t lanes = sizeof...(j);
  const Lanes left = __builtin_shufflevector(above, below, ((j & step) == 0 ? j : lanes + j - step)...);
  below = __builtin_shufflevector(above, below, ((j & step) == 0 ? j + step : lanes + j)...);
  above = left;
}

/// Transposes the blocks of `step` x `step` entries in those of twice that size; so, from one entry to half
/// of them all, the whole matrix (Eklundh, 1972).
template <int step, int lanes, class Lanes>
KERNMILL_INLINE void transpose_blocks(Lanes (&rows)[lanes]) {
  KERNMILL_UNROLL for (int i = 0; i < lanes; ++i) if ((i & step) == 0)
      swap_blocks<step>(rows[i], rows[i + step], std::make_index_sequence<lanes>());
  if constexpr (2 * step < lanes) transpose_blocks<2 * step, lanes>(rows);
}

/// `lanes` x `lanes` entries.
template <class T, int lanes>
KERNMILL_INLINE void transpose(const T* from, std::size_t from_step, T* to, std::size_t to_step) {
  typedef T Lanes __attribute__((vector_size(lanes * sizeof(T)), aligned(sizeof(T)), may_alias));
  Lanes rows[lanes];
  KERNMILL_UNROLL for (int i = 0; i < lanes; ++i) rows[i] =
      *reinterpret_cast<const Lanes*>(from + i * from_step);
  transpose_blocks<1, lanes>(rows);
  KERNMILL_UNROLL for (int i = 0; i < lanes; ++i) * reinterpret_cast<Lanes*>(to + i * to_step) = rows[i];
}

/// The columns [first, first + there) of each row, there <= width, filled up with zeros.
template <class T, int bytes, std::size_t width>
KERNMILL_INLINE void pack_panel(const Factor<T>& from, std::size_t first, std::size_t there, std::size_t rows,
                                T* to) {
  std::size_t row = 0;
  if (from.is_flipped) {
    constexpr int lanes = std::min<int>(bytes / sizeof(T), width);
    static_assert(width % lanes == 0);
    const T* const at = from.first + first * from.step;
    for (; there == width && row + lanes <= rows; row += lanes)
      for (std::size_t i = 0; i < width; i += lanes)
        transpose<T, lanes>(at + i * from.step + row, from.step, to + row * width + i, width);
    for (; row < rows; ++row)
      for (std::size_t i = 0; i < width; ++i)
        to[row * width + i] = i < there ? at[i * from.step + row] : T(0);
    return;
  }
  for (; row < rows; ++row, to += width) {
    const T* const at = from.first + row * from.step + first;
    if (there == width) {
      for (std::size_t i = 0; i < width; ++i) to[i] = at[i];
    } else {
      for (std::size_t i = 0; i < width; ++i) to[i] = i < there ? at[i] : T(0);
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

/// The columns [first, first + there) of a row of the sums, from a tile.
template <class T>
KERNMILL_INLINE void put(const ProductFold<T>& of, const T* from, std::size_t row, std::size_t first,
                         std::size_t there, T* sums) {
  T* const to = sums + row * of.n + first;
  if (of.adds) {
    for (std::size_t j = 0; j < there; ++j) to[j] += from[j];
  } else if (of.rectified != nullptr) {
    const T* const rectified = of.rectified + row * of.n + first;
    for (std::size_t j = 0; j < there; ++j) to[j] = rectified[j] > 0 ? from[j] : from[j] * 0;
  } else if (of.bias == nullptr) {
    for (std::size_t j = 0; j < there; ++j) to[j] = from[j];
  } else if (of.rectifies) {
    const T* const bias = of.bias + first;
    for (std::size_t j = 0; j < there; ++j) to[j] = math::max(from[j] + bias[j], T(0));
  } else {
    const T* const bias = of.bias + first;
    for (std::size_t j = 0; j < there; ++j) to[j] = from[j] + bias[j];
  }
}

/// The rows [i, end) of some columns of all sums, [first, first + there), there <= width; i is a multiple of
/// height.
template <class T, int bytes, int height, int across>
KERNMILL_INLINE void fold_columns(const ProductFold<T>& of, const FoldPlan<T>& plan, std::size_t first,
                                  std::size_t there, std::size_t i, std::size_t end) {
  constexpr std::size_t width = across * bytes / sizeof(T);
  const std::size_t rows = of.cuts.back();
  ProductMemory<T>& memory = ProductMemory<T>::of_thread();
  T* const b = memory.b.at_least(rows * width);
  T* const tiles = memory.tiles.at_least((plan.waiting + 1) * height * width);
  pack_panel<T, bytes, width>(of.b, first, there, rows, b);
  for (; i < end; i += height) {
    fold_tile<T, bytes, height, across>(plan.a + i * rows, b, of.cuts, plan.folds, tiles);
    const std::size_t high = std::min<std::size_t>(height, end - i);
    for (std::size_t k = 0; k < of.sums.size(); ++k)
      for (std::size_t row = 0; row < high; ++row)
        put<T>(of, tiles + (k * height + row) * width, i + row, first, there, of.sums[k]);
  }
}

/// How the code of a level goes over a product.
template <class T, int bytes, int height>
struct ProductTiles {
  static constexpr std::size_t lanes = bytes / sizeof(T), columns = 3 * lanes;

  KERNMILL_INLINE static void pack_panel_of_a(const ProductFold<T>& of, std::size_t panel, T* a) {
    const std::size_t rows = of.cuts.back(), first = panel * height;
    pack_panel<T, bytes, height>(of.a, first, std::min<std::size_t>(height, of.count - first), rows,
                                 a + first * rows);
  }
  KERNMILL_INLINE static void fold_block(const ProductFold<T>& of, const FoldPlan<T>& plan,
                                         const FoldBlock& block) {
    const std::size_t left = std::min(columns, of.n - block.column);
    if (left > 2 * lanes)
      fold_columns<T, bytes, height, 3>(of, plan, block.column, left, block.row, block.end);
    else if (left > lanes)
      fold_columns<T, bytes, height, 2>(of, plan, block.column, left, block.row, block.end);
    else
      fold_columns<T, bytes, height, 1>(of, plan, block.column, left, block.row, block.end);
  }
};

#undef KERNMILL_UNROLL
#undef KERNMILL_INLINE

/// The code of a level of the processor.
template <class T>
struct ProductCode {
  std::size_t height, columns;
  void (*pack_panel_of_a)(const ProductFold<T>&, std::size_t panel, T* a);
  void (*fold_block)(const ProductFold<T>&, const FoldPlan<T>&, const FoldBlock&);
};

// Products are rounded once, with the sum: both levels give the same bits.
#define KERNMILL_PRODUCT_CODE(LEVEL, BYTES, HEIGHT, ...)                                         \
  template <class T>                                                                             \
  __VA_ARGS__ void pack_panel_of_a_##LEVEL(const ProductFold<T>& of, std::size_t panel, T* a) {  \
    ProductTiles<T, BYTES, HEIGHT>::pack_panel_of_a(of, panel, a);                               \
  }                                                                                              \
  template <class T>                                                                             \
  __VA_ARGS__ void fold_block_##LEVEL(const ProductFold<T>& of, const FoldPlan<T>& plan,         \
                                      const FoldBlock& block) {                                  \
    ProductTiles<T, BYTES, HEIGHT>::fold_block(of, plan, block);                                 \
  }                                                                                              \
  template <class T>                                                                             \
  constexpr ProductCode<T> product_code_##LEVEL{HEIGHT, ProductTiles<T, BYTES, HEIGHT>::columns, \
                                                pack_panel_of_a_##LEVEL<T>, fold_block_##LEVEL<T>};
#if KERNMILL_HAS_PROCESSOR_LEVELS
KERNMILL_PRODUCT_CODE(v4, 64, 8,
                      __attribute__((noinline, target("arch=x86-64-v4"), optimize("O3", "fp-contract=fast"))))
KERNMILL_PRODUCT_CODE(v3, 32, 4,
                      __attribute__((noinline, target("arch=x86-64-v3"), optimize("O3", "fp-contract=fast"))))
#endif
KERNMILL_PRODUCT_CODE(baseline, 16, 4, inline)
#undef KERNMILL_PRODUCT_CODE

template <class T>
const ProductCode<T>& product_code() {
#if KERNMILL_HAS_PROCESSOR_LEVELS
  if (processor_level() == ProcessorLevel::x86_64_v4) return product_code_v4<T>;
  if (processor_level() == ProcessorLevel::x86_64_v3) return product_code_v3<T>;
#endif
  return product_code_baseline<T>;
}

/// On so many threads.
template <class T>
void fold_products(const ProductFold<T>& of, const ProductCode<T>& code, std::size_t threads) {
  if (of.count == 0 || of.n == 0) return;
  const std::size_t rows = of.cuts.back(), panels = (of.count + code.height - 1) / code.height;
  ProductMemory<T>& memory = ProductMemory<T>::of_thread();
  const std::size_t waiting = count_folds(of.cuts.size() - 1, of.first_leaf, memory.folds);
  T* const a = memory.a.at_least(panels * code.height * rows);
  const auto each = [threads](std::size_t count, const auto& work) {
    if (threads > 1) return on_host_threads(count, work);
    for (std::size_t i = 0; i < count; ++i) work(i);
  };
  each(panels, [&](std::size_t panel) { code.pack_panel_of_a(of, panel, a); });
  const FoldPlan<T> plan{a, memory.folds.data(), waiting};
  // Where the columns are too few for all threads, several share them.
  const std::size_t across = (of.n + code.columns - 1) / code.columns,
                    wanted = threads == 1 ? 1 : std::min((2 * threads + across - 1) / across, panels),
                    high = (panels + wanted - 1) / wanted, down = (panels + high - 1) / high;
  each(across * down, [&](std::size_t i) {
    const std::size_t row = i / across * high * code.height;
    code.fold_block(of, plan, {i % across * code.columns, row, std::min(of.count, row + high * code.height)});
  });
}

template <class T>
void fold_products(const ProductFold<T>& of) {
  constexpr std::size_t worth_threads = 1U << 18U;  // products: some microseconds
  const bool is_worth_it = of.cuts.back() * of.count * of.n > worth_threads;
  fold_products<T>(of, product_code<T>(), is_worth_it ? static_cast<std::size_t>(host_threads()) : 1);
}

#else
inline constexpr bool has_product_tiles = false;
#endif

}  // namespace kernmill::kernels::detail
