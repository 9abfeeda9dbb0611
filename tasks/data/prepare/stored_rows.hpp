#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "kernmill/storage/dataset/encoding.hpp"
#include "kernmill/tasks/data/prepare/transform.hpp"

namespace kernmill::tasks {

/// Rows of the input as rows of a dataset, as they lie in its file (storage::Encoding). float16 and bfloat16
/// are made by storage/: then these are rows of doubles.
class StoredRows {
 public:
  StoredRows(const Transform& transform, const storage::Encoding& encoding);
  [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
  /// Appends what `rows`, of `stride` numbers each, make. Each number is one that its type holds.
  void append(std::span<const double> rows, std::size_t stride, std::vector<std::byte>& out) const;

 private:
  struct Place {
    std::size_t at = 0;
    storage::Element type = storage::Element::f64;
    bool raw = false;  ///< scaled by whoever reads it
  };
  const Transform* transform_;
  std::vector<Transform::Run> runs_;
  std::vector<Place> places_;  ///< by feature
  std::size_t row_bytes_ = 0;
};

}  // namespace kernmill::tasks
