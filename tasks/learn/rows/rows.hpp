#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"

namespace kernmill::tasks {

/// Every how many rows one belongs to a fold: fold k holds the rows i with i % folds == k.
struct Fold {
  std::uint64_t folds = 1, fold = 0;
  bool held_out = false;  ///< the fold's own rows, else all the others
};

/// The rows of one part of a dataset, or of a fold of it, numbered 0 .. count() - 1 in dataset order. The
/// reader has to outlive it. Reads are independent of the other ranks.
class Rows {
 public:
  Rows(const storage::DatasetReader& reader, storage::Part part);
  Rows(const storage::DatasetReader& reader, storage::Part part, Fold fold);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t features() const { return reader_->feature_count(); }
  [[nodiscard]] std::uint64_t targets() const { return reader_->target_count(); }
  [[nodiscard]] const storage::Schema& schema() const { return reader_->schema(); }

  /// Rows [range.begin, range.end): features into n x d, target into n x k. Throws TaskError where a label is
  /// of no class: it would be taken for an index.
  void read(storage::IndexRange range, std::span<double> features, std::span<double> target) const;
  /// The rows with these numbers, in this order.
  void read(std::span<const std::uint64_t> rows, std::span<double> features, std::span<double> target) const;
  /// The price levels of a series, one horizon before and at the target.
  void read_levels(storage::IndexRange range, std::span<double> before, std::span<double> at) const;

 private:
  void require_classes(std::span<const double> target) const;
  [[nodiscard]] std::uint64_t in_part(std::uint64_t row) const;

  const storage::DatasetReader* reader_;
  storage::Part part_;
  Fold fold_;
  std::uint64_t count_;
};

}  // namespace kernmill::tasks
