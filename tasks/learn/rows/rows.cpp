#include "kernmill/tasks/learn/rows/rows.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kernmill/tasks/support/task_error.hpp"

namespace kernmill::tasks {

Rows::Rows(const storage::DatasetReader& reader, storage::Part part) : Rows(reader, part, Fold{}) {}

Rows::Rows(const storage::DatasetReader& reader, storage::Part part, Fold fold)
    : reader_(&reader), part_(part), fold_(fold), count_(reader.rows(part)) {
  if (fold.folds == 1) return;
  const std::uint64_t own = (count_ + fold.folds - 1 - fold.fold) / fold.folds;
  count_ = fold.held_out ? own : count_ - own;
}

std::uint64_t Rows::in_part(std::uint64_t row) const {
  if (fold_.folds == 1) return row;
  if (fold_.held_out) return row * fold_.folds + fold_.fold;
  const std::uint64_t within = row % (fold_.folds - 1);
  return row / (fold_.folds - 1) * fold_.folds + within + (within >= fold_.fold ? 1 : 0);
}

void Rows::require_classes(std::span<const double> target) const {
  if (schema().target_kind != storage::TargetKind::classes) return;
  const auto classes = static_cast<double>(schema().classes.size());
  const auto bad = std::find_if(target.begin(), target.end(), [&](double label) {
    return !(label >= 0 && label < classes);  // that is no number, too
  });
  if (bad == target.end()) return;
  throw TaskError(
      fmt::format("the dataset has a label {} where it has {} classes", *bad, schema().classes.size()), {},
      "it was not made by Kernmill, or is damaged; make it anew");
}

std::vector<std::uint64_t> Rows::in_part(storage::IndexRange range) const {
  std::vector<std::uint64_t> numbers(range.count());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = in_part(range.begin + i);
  return numbers;
}

std::vector<std::uint64_t> Rows::in_part(std::span<const std::uint64_t> rows) const {
  std::vector<std::uint64_t> numbers(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) numbers[i] = in_part(rows[i]);
  return numbers;
}

std::uint64_t Rows::row_bytes() const {
  if (!is_sparse()) return features() * sizeof(double);
  constexpr std::uint64_t entry = sizeof(std::uint32_t) + sizeof(double);
  const std::uint64_t all = std::max<std::uint64_t>(1, reader_->rows(part_));
  return sizeof(std::uint64_t) + reader_->entries(part_) * entry / all;
}

void Rows::read(storage::IndexRange range, std::span<double> features, std::span<double> target) const {
  if (range.count() == 0) return;
  fold_.folds == 1 ? reader_->read(part_, range, features, target)
                   : reader_->read_rows(part_, in_part(range), features, target);
  require_classes(target);
}

void Rows::read(std::span<const std::uint64_t> rows, std::span<double> features,
                std::span<double> target) const {
  if (rows.empty()) return;
  reader_->read_rows(part_, in_part(rows), features, target);
  require_classes(target);
}

void Rows::read(storage::IndexRange range, storage::SparseRows& features, std::span<double> target) const {
  features = {};
  if (range.count() == 0) return;
  fold_.folds == 1 ? reader_->read_sparse(part_, range, features)
                   : reader_->read_sparse_rows(part_, in_part(range), features);
  read(range, std::span<double>(), target);
}

void Rows::read(std::span<const std::uint64_t> rows, storage::SparseRows& features,
                std::span<double> target) const {
  features = {};
  if (rows.empty()) return;
  reader_->read_sparse_rows(part_, in_part(rows), features);
  read(rows, std::span<double>(), target);
}

void Rows::read_stored(storage::IndexRange range, std::span<std::byte> stored,
                       std::span<double> target) const {
  if (range.count() == 0) return;
  fold_.folds == 1 ? reader_->read_stored(part_, range, stored)
                   : reader_->read_stored_rows(part_, in_part(range), stored);
  read(range, std::span<double>(), target);
}

void Rows::read_stored_together(storage::IndexRange range, std::span<std::byte> stored) const {
  reader_->read_stored_together(part_, range, stored);
}

void Rows::read_levels(storage::IndexRange range, std::span<double> before, std::span<double> at) const {
  if (range.count() != 0) reader_->read_levels(part_, range, before, at);
}

}  // namespace kernmill::tasks
