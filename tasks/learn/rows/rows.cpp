#include "kernmill/tasks/learn/rows/rows.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/tasks/learn/rows/leaf_sum.hpp"
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

Rows Rows::with_weights() const {
  Rows rows = *this;
  rows.weighted_ = !schema().weight.empty();
  return rows;
}

Rows Rows::without_weights() const {
  Rows rows = *this;
  rows.weighted_ = false;
  return rows;
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

void Rows::require_weights(std::span<const double> weights) const {
  const auto bad = std::find_if(weights.begin(), weights.end(),
                                [](double weight) { return !(weight >= 0 && std::isfinite(weight)); });
  if (bad == weights.end()) return;
  throw TaskError(fmt::format("the dataset has {} for a row's weight '{}'", *bad, schema().weight), {},
                  "it was not made by Kernmill, or is damaged; make it anew");
}

void Rows::from_part(storage::IndexRange range, std::span<double> features, std::span<double> target) const {
  reader_->read(part_, range, features, target);
}

void Rows::from_part(const std::vector<std::uint64_t>& rows, std::span<double> features,
                     std::span<double> target) const {
  reader_->read_rows(part_, rows, features, target);
}

template <class Which>
void Rows::read_in_part(const Which& rows, std::span<double> features, std::span<double> target) const {
  if (!weighted_ || target.empty()) {
    from_part(rows, features, target);
    return require_classes(target);
  }
  const std::uint64_t numbers = targets(), width = target_width(), count = target.size() / width;
  std::vector<double> own(count * numbers), weights(count);
  from_part(rows, features, own);
  reader_->read_weights(part_, rows, weights);
  require_classes(own);
  require_weights(weights);
  for (std::uint64_t i = 0; i < count; ++i) {
    std::copy_n(own.data() + i * numbers, numbers, target.data() + i * width);
    target[i * width + numbers] = weights[i];
  }
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
  fold_.folds == 1 ? read_in_part(range, features, target) : read_in_part(in_part(range), features, target);
}

void Rows::read(std::span<const std::uint64_t> rows, std::span<double> features,
                std::span<double> target) const {
  if (rows.empty()) return;
  read_in_part(in_part(rows), features, target);
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

double weight_of(const Communicator& comm, const Rows& rows) {
  if (!rows.is_weighted()) return static_cast<double>(rows.count());
  constexpr std::uint64_t rows_at_a_time = std::uint64_t{1} << 20U;
  const std::uint64_t width = rows.target_width();
  LeafSum<kernels::Host> sum(comm, shard_count, 1);
  const storage::IndexRange own = sum.own();
  std::vector<double> of_shards, target;
  comm.agree([&] {
    for (std::uint64_t shard = own.begin; shard < own.end; ++shard) {
      std::vector<storage::IndexRange> chunks;
      append_chunks(shard_of(rows.count(), shard), rows_at_a_time, chunks);
      double& weight = of_shards.emplace_back(0.0);
      for (const storage::IndexRange& range : chunks) {
        target.resize(range.count() * width);
        rows.read(range, std::span<double>(), target);
        for (std::uint64_t i = 0; i < range.count(); ++i) weight += target[(i + 1) * width - 1];
      }
    }
  });
  return sum([&](std::uint64_t shard, const kernels::Vector<kernels::Host>& out) {
    out(0) = of_shards[shard - own.begin];
  })[0];
}

}  // namespace kernmill::tasks
