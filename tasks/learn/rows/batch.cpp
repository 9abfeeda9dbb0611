#include "kernmill/tasks/learn/rows/batch.hpp"

#include <chrono>

#include "kernmill/tasks/models/network/device_rows.hpp"

namespace kernmill::tasks {

using kernels::Device;
using kernels::Host;

namespace {

bool are_same(const RowSelection& a, const RowSelection& b) {
  if (a.index() != b.index()) return false;
  const auto* const range = std::get_if<storage::IndexRange>(&a);
  if (range == nullptr) return std::get<1>(a) == std::get<1>(b);
  const auto& other = std::get<storage::IndexRange>(b);
  return range->begin == other.begin && range->end == other.end;
}

}  // namespace

std::uint64_t count_of(const RowSelection& rows) {
  if (const auto* const range = std::get_if<storage::IndexRange>(&rows)) return range->count();
  return std::get<std::vector<std::uint64_t>>(rows).size();
}

void HostRows::read(const Rows& rows, const RowSelection& wanted) {
  const std::uint64_t count = count_of(wanted);
  target.resize(count * rows.targets());
  if (!rows.is_sparse()) features.resize(count * rows.features());
  std::visit(
      [&](const auto& which) {
        rows.is_sparse() ? rows.read(which, sparse, target) : rows.read(which, features, target);
      },
      wanted);
}

std::uint64_t HostRows::bytes() const {
  return (features.size() + target.size() + sparse.values.size() + sparse.begins.size()) * sizeof(double) +
         sparse.columns.size() * sizeof(std::uint32_t);
}

kernels::Matrix<Device> features_on_device(std::span<double> features, std::uint64_t columns) {
  const kernels::Matrix<Host> matrix(features.data(), features.size() / columns, columns);
  return Kokkos::create_mirror_view_and_copy(Device::memory_space(), matrix);
}

void set_target(Batch& batch, Loss loss, std::span<double> target, std::uint64_t columns) {
  if (loss.is_of_numbers()) {
    batch.numbers = features_on_device(target, columns);
    return;
  }
  const kernels::Labels<Host> labels("labels", target.size());
  for (std::size_t i = 0; i < target.size(); ++i) labels(i) = static_cast<int>(target[i]);
  batch.labels = Kokkos::create_mirror_view_and_copy(Device::memory_space(), labels);
}

Batch batch_of(const Rows& rows, Loss loss, HostRows& host) {
  Batch batch;
  if (rows.is_sparse()) {
    batch.sparse = on_device(host.sparse);
  } else {
    batch.features = features_on_device(host.features, rows.features());
  }
  set_target(batch, loss, host.target, rows.targets());
  return batch;
}

void BatchLoader::prefetch(RowSelection wanted) {
  constexpr std::uint64_t worth_a_thread = std::uint64_t{64} << 10;
  if (!ahead_) ahead_ = std::make_unique<Ahead>();
  if (ahead_->done.valid()) ahead_->done.wait();
  ahead_->done = {};
  if (count_of(wanted) * rows_->row_bytes() < worth_a_thread) return;
  ahead_->wanted = std::move(wanted);
  ahead_->done = std::async(std::launch::async,
                            [rows = rows_, ahead = ahead_.get()] { ahead->rows.read(*rows, ahead->wanted); });
}

bool BatchLoader::take_ahead(const RowSelection& wanted) {
  if (!ahead_ || !ahead_->done.valid() || !are_same(wanted, ahead_->wanted)) return false;
  ahead_->done.get();
  std::swap(now_, ahead_->rows);
  return true;
}

Batch BatchLoader::load(const RowSelection& wanted) {
  const auto start = std::chrono::steady_clock::now();
  if (!take_ahead(wanted)) now_.read(*rows_, wanted);
  reading_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  reading_.bytes += now_.bytes();
  return batch_of(*rows_, loss_, now_);
}

}  // namespace kernmill::tasks
