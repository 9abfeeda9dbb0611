#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

namespace kernmill::tasks {

/// How much of its rows a store keeps in memory, and where the rest goes.
struct Buffer {
  std::uint64_t bytes = std::uint64_t{512} << 20;
  std::filesystem::path scratch_directory = ".";
};

/// A rank's rows of `width` numbers each, in order. What does not fit into the buffer lies in a scratch file
/// that has no name, so that nothing is left of it. Throws TaskError when that cannot be written or read.
class RowStore {
 public:
  explicit RowStore(std::uint64_t width = 1, Buffer buffer = {});
  ~RowStore();
  RowStore(RowStore&& other) noexcept;
  RowStore& operator=(RowStore&& other) noexcept;
  RowStore(const RowStore&) = delete;
  RowStore& operator=(const RowStore&) = delete;

  [[nodiscard]] std::uint64_t width() const { return width_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  /// Where the next row is to be put; it counts once `keep` is called.
  [[nodiscard]] double* next() { return last_.data() + used_ * width_; }
  void keep() {
    ++rows_;
    if (++used_ == block_rows_) close_block();
  }
  void append(std::span<const double> row);
  /// Rows of zeros, to be put in place in any order.
  void resize(std::uint64_t rows);
  void put(std::uint64_t row, std::span<const double> values);

  /// Calls `work` with the rows in order, a block at a time.
  using Work = std::function<void(std::uint64_t first_row, std::span<const double> rows)>;
  void each_block(const Work& work) const;
  /// The same, and what `change` makes of the rows stays.
  using Change = std::function<void(std::uint64_t first_row, std::span<double> rows)>;
  void update(const Change& change);
  /// The most doubles that this store held in memory.
  [[nodiscard]] std::uint64_t peak_doubles() const { return peak_; }
  [[nodiscard]] std::uint64_t block_rows() const { return block_rows_; }

 private:
  template <class Self, class Visit>
  static void walk(Self& self, const Visit& visit);
  void close_block();
  void write_scratch(std::uint64_t row, std::span<const double> values);
  void read_scratch(std::uint64_t row, std::span<double> values) const;
  void note_peak();

  std::uint64_t width_, rows_ = 0, used_ = 0, peak_ = 0;
  std::uint64_t block_rows_, blocks_in_memory_;
  Buffer buffer_;
  std::vector<std::vector<double>> blocks_;  ///< the first full ones
  std::vector<double> last_;                 ///< the one that is being filled
  std::uint64_t in_scratch_ = 0;             ///< full blocks behind those in memory
  int fd_ = -1;
};

/// Puts other numbers in the place of codes, by wanted column; an empty list leaves a column as it is.
void recode(RowStore& rows, const std::vector<std::vector<double>>& values);

}  // namespace kernmill::tasks
