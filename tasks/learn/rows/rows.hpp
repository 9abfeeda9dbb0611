#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "kernmill/storage/dataset/dataset.hpp"
#include "kernmill/tasks/comm/communicator.hpp"

namespace kernmill::tasks {

/// Every how many rows one belongs to a fold: fold k holds the rows i with i % folds == k.
struct Fold {
  std::uint64_t folds = 1, fold = 0;
  bool held_out = false;  ///< the fold's own rows, else all the others
};

/// The rows of one part of a dataset, or of a fold of it, numbered 0 .. count() - 1 in dataset order. The
/// reader has to outlive it. Reads are independent of the other ranks. They throw TaskError where a label is
/// of no class, since it would be taken for an index, and where a weight is none.
class Rows {
 public:
  Rows(const storage::DatasetReader& reader, storage::Part part);
  Rows(const storage::DatasetReader& reader, storage::Part part, Fold fold);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t features() const { return reader_->feature_count(); }
  [[nodiscard]] std::uint64_t targets() const { return reader_->target_count(); }
  /// The same, whose weights are read with the target where the dataset has them.
  [[nodiscard]] Rows with_weights() const;
  [[nodiscard]] Rows without_weights() const;
  [[nodiscard]] bool is_weighted() const { return weighted_; }
  /// The numbers of a row's target, and behind them its weight where rows are weighted.
  [[nodiscard]] std::uint64_t target_width() const { return targets() + (weighted_ ? 1 : 0); }
  [[nodiscard]] const storage::Schema& schema() const { return reader_->schema(); }
  [[nodiscard]] const storage::Encoding& encoding() const { return reader_->encoding(); }
  [[nodiscard]] bool is_sparse() const { return encoding().sparse; }
  [[nodiscard]] bool is_whole_part() const { return fold_.folds == 1; }
  /// Whether single rows are dear where the dataset lies.
  [[nodiscard]] bool prefers_large_reads() const { return reader_->prefers_large_reads(); }
  /// What the features of a row take in memory once they are to be computed with; of sparse rows the mean.
  [[nodiscard]] std::uint64_t row_bytes() const;

  /// Rows [range.begin, range.end): features into n x d, target into n x target_width(); an empty span is not
  /// wanted.
  void read(storage::IndexRange range, std::span<double> features, std::span<double> target) const;
  /// The rows with these numbers, in this order.
  void read(std::span<const std::uint64_t> rows, std::span<double> features, std::span<double> target) const;
  /// The same of a sparse dataset.
  void read(storage::IndexRange range, storage::SparseRows& features, std::span<double> target) const;
  void read(std::span<const std::uint64_t> rows, storage::SparseRows& features,
            std::span<double> target) const;

  /// Dense rows as they lie in the file, stored_row_bytes() each, and what they are as features.
  [[nodiscard]] std::uint64_t stored_row_bytes() const { return reader_->stored_row_bytes(); }
  void read_stored(storage::IndexRange range, std::span<std::byte> stored, std::span<double> target) const;
  /// Collective: each rank its own range, perhaps an empty one. Of a whole part. Throws on every rank or
  /// none.
  void read_stored_together(storage::IndexRange range, std::span<std::byte> stored) const;
  void decode(std::span<const std::byte> stored, std::span<double> features) const {
    reader_->decode(stored, features);
  }

  /// The price levels of a series, one horizon before and at the target.
  void read_levels(storage::IndexRange range, std::span<double> before, std::span<double> at) const;

 private:
  void require_classes(std::span<const double> target) const;
  void require_weights(std::span<const double> weights) const;
  void from_part(storage::IndexRange range, std::span<double> features, std::span<double> target) const;
  void from_part(const std::vector<std::uint64_t>& rows, std::span<double> features,
                 std::span<double> target) const;
  template <class Which>
  void read_in_part(const Which& rows, std::span<double> features, std::span<double> target) const;
  [[nodiscard]] std::uint64_t in_part(std::uint64_t row) const;
  [[nodiscard]] std::vector<std::uint64_t> in_part(storage::IndexRange range) const;
  [[nodiscard]] std::vector<std::uint64_t> in_part(std::span<const std::uint64_t> rows) const;

  const storage::DatasetReader* reader_;
  storage::Part part_;
  Fold fold_;
  std::uint64_t count_;
  bool weighted_ = false;
};

/// Collective. What the rows' weights add up to, where they are weighted; else their number. The same bits on
/// any number of ranks.
double weight_of(const Communicator& comm, const Rows& rows);

}  // namespace kernmill::tasks
