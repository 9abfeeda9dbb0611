#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "kernmill/base/large_memory.hpp"
#include "kernmill/tasks/data/store/row_packing.hpp"
#include "kernmill/tasks/data/store/scratch_file.hpp"

namespace kernmill::tasks {

/// How much of its rows a store keeps in memory, and where the rest goes.
struct Buffer {
  std::uint64_t bytes = std::uint64_t{512} << 20;
  Scratch scratch{};
};

/// A rank's rows of `width` numbers each, in order. What does not fit into the buffer lies in a scratch file.
/// Numbers of a column that has a type of its own are ones that the type holds, and take no more room. Throws
/// TaskError when that cannot be written or read.
class RowStore {
 public:
  explicit RowStore(std::uint64_t width = 1, Buffer buffer = {});
  /// A type for each column.
  RowStore(const std::vector<storage::Element>& types, Buffer buffer);

  [[nodiscard]] std::uint64_t width() const { return width_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// Where the next row is to be put; it counts once `keep` is called.
  [[nodiscard]] double* next() { return last_.data() + used_ * width_; }
  void keep() {
    ++rows_;
    if (++used_ == block_rows_) close_block(true);
  }
  void append(std::span<const double> row);
  /// Makes room for so many rows, each to be put in place once, in any order, before anything is read.
  void resize(std::uint64_t rows);
  void put(std::uint64_t row, std::span<const double> values);

  /// Calls `work` with the rows in order, a block at a time.
  using Work = std::function<void(std::uint64_t first_row, std::span<const double> rows)>;
  void each_block(const Work& work) const;
  /// The same, and what `change` makes of the rows stays.
  using Change = std::function<void(std::uint64_t first_row, std::span<double> rows)>;
  void update(const Change& change);
  /// For tests: the most bytes that this store held in memory.
  [[nodiscard]] std::uint64_t peak_bytes() const { return peak_; }
  [[nodiscard]] std::uint64_t block_rows() const { return block_rows_; }
  [[nodiscard]] const std::vector<storage::Element>& types() const { return types_; }

 private:
  /// A full block: as it is, or packed.
  struct Block {
    LargeVector<double> rows;
    std::vector<std::byte> packed;
  };
  template <class Self, class Visit>
  static void walk(Self& self, const Visit& visit);
  /// The block that was being filled stays in memory, or goes to its place in the scratch file.
  void close_block(bool filled);
  [[nodiscard]] std::uint64_t place_in_scratch(std::uint64_t row) const { return row * packing_.row_bytes(); }
  void write_to_scratch(std::uint64_t row, std::span<const double> values, std::uint32_t generation);
  void read_block(std::uint64_t block, std::span<double> rows) const;
  void note_peak();

  std::vector<storage::Element> types_;
  RowPacking packing_;
  std::uint64_t width_, rows_ = 0, used_ = 0, peak_ = 0;
  std::uint64_t block_rows_, blocks_in_memory_;
  Buffer buffer_;
  std::vector<Block> blocks_;             ///< the first full ones
  LargeVector<double> last_;              ///< the one that is being filled
  std::uint64_t in_scratch_ = 0;          ///< full blocks behind those in memory
  std::unique_ptr<ScratchFile> scratch_;  ///< there once a block is
  std::uint32_t generation_ = 0;          ///< how often the blocks there were written anew
};

/// Puts other numbers in the place of codes, by wanted column; an empty list leaves a column as it is.
void recode(RowStore& rows, const std::vector<std::vector<double>>& values);
/// The same in a block of rows of `width` numbers.
void recode(std::span<double> block, std::uint64_t width, const std::vector<std::vector<double>>& values);

}  // namespace kernmill::tasks
