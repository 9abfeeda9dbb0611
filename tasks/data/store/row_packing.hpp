#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/storage/element.hpp"

namespace kernmill::tasks {

/// How the numbers of a row lie side by side in memory: a type a column.
class RowPacking {
 public:
  explicit RowPacking(const std::vector<storage::Element>& types);
  /// Nothing but doubles.
  [[nodiscard]] bool is_plain() const;
  [[nodiscard]] std::uint64_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] std::uint64_t width() const { return width_; }
  /// rows: n x width(); out: n x row_bytes(). Each number is one that its column's type holds, or throws
  /// std::out_of_range.
  void pack(std::span<const double> rows, std::span<std::byte> out) const;
  void unpack(std::span<const std::byte> packed, std::span<double> rows) const;

 private:
  /// Columns of one type beside each other.
  struct Run {
    storage::Element type;
    std::uint64_t columns;
  };
  std::vector<Run> runs_;
  std::uint64_t row_bytes_ = 0, width_ = 0;
};

}  // namespace kernmill::tasks
