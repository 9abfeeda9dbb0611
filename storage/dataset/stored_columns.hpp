#pragma once
#include <optional>
#include <span>
#include <vector>

#include "kernmill/storage/dataset/encoding.hpp"

/// Private to storage/: rows of numbers as a table has them.
namespace kernmill::storage {

/// Where in rows of `width` numbers those of a table belong, and what they are there.
class StoredColumns {
 public:
  /// All of them.
  StoredColumns(Element type, std::uint64_t width) : StoredColumns(type, width, {}, {}) { add(0, width); }
  /// The features of the table `features`, and those of the table `bytes`.
  static StoredColumns typed(const Encoding& encoding, std::uint64_t width);
  static StoredColumns in_bytes(const Encoding& encoding, std::uint64_t width);

  [[nodiscard]] std::uint64_t row_bytes() const { return columns_ * size_of(type_); }
  /// Whether a row in the table is one in memory.
  template <class T>
  [[nodiscard]] bool are_rows_of() const {
    return type_ == element_type<T> && columns_ == width_ && center_.empty();
  }

  /// Rows that lie `stride` bytes apart, into `to` (rows x width).
  template <class T>
  void decode(const std::byte* from, std::uint64_t stride, std::uint64_t rows, T* to) const;

  /// A number that the type does not hold.
  struct Misfit {
    std::uint64_t row, column;
  };
  /// `rows` (n x width) as the table has them, into `to` (n x row_bytes). Stops at a number that does not
  /// fit.
  std::optional<Misfit> encode(std::span<const double> rows, std::byte* to) const;
  [[nodiscard]] Element type() const { return type_; }

 private:
  /// Columns [first, first + count) of a row, side by side in the table.
  struct Run {
    std::uint64_t first, count;
  };
  StoredColumns(Element type, std::uint64_t width, std::vector<double> center, std::vector<double> scale)
      : type_(type), width_(width), center_(std::move(center)), scale_(std::move(scale)) {}
  void add(std::uint64_t first, std::uint64_t end);

  Element type_;
  std::uint64_t width_, columns_ = 0;
  std::vector<Run> runs_;
  std::vector<double> center_, scale_;
};

}  // namespace kernmill::storage
