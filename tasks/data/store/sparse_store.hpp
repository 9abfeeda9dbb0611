#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/storage/even_share.hpp"
#include "kernmill/tasks/comm/communicator.hpp"
#include "kernmill/tasks/data/store/row_store.hpp"

namespace kernmill::tasks {

/// A rank's sparse rows, in order. Entries that do not fit into the buffer lie in a scratch file. Throws
/// TaskError when that cannot be written or read.
class SparseStore {
 public:
  explicit SparseStore(Buffer buffer = {});
  void append(std::span<const std::uint32_t> columns, std::span<const double> values);

  [[nodiscard]] std::uint64_t rows() const { return begins_.size() - 1; }
  [[nodiscard]] std::uint64_t entries() const { return begins_.back(); }
  /// Of the rows before this one.
  [[nodiscard]] std::uint64_t entries_before(std::uint64_t row) const { return begins_[row]; }
  /// All rows, cut into ranges of up to `rows` rows; a range ends with the row that brings it to `entries`.
  [[nodiscard]] std::vector<storage::IndexRange> ranges_of(std::uint64_t rows, std::uint64_t entries) const;
  /// Appends rows [first, first + count) to `out`.
  void read(std::uint64_t first, std::uint64_t count, storage::SparseRows& out) const;
  /// Which types hold every value: 1, or 0.
  struct Fit {
    std::uint64_t bytes = 1, integers = 1, floats = 1;
  };
  [[nodiscard]] const Fit& fit() const { return fit_; }

 private:
  struct Block {
    std::vector<std::uint32_t> columns;
    std::vector<double> values;
  };
  void close_block();
  void read_piece(std::uint64_t block, std::uint64_t from, std::uint64_t count,
                  storage::SparseRows& out) const;
  void note(std::span<const double> values);

  Buffer buffer_;
  std::uint64_t block_entries_, blocks_in_memory_;
  std::vector<std::uint64_t> begins_{0};
  std::vector<Block> blocks_;             ///< the first full ones
  Block last_;                            ///< the one that is being filled
  std::uint64_t in_scratch_ = 0;          ///< full blocks behind those in memory
  std::unique_ptr<ScratchFile> scratch_;  ///< there once a block is
  Fit fit_;
};

/// Collective. The smallest type that holds every value of all ranks' rows.
storage::Element type_of(const Communicator& comm, const SparseStore& store);

}  // namespace kernmill::tasks
