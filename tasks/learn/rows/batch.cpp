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

kernels::Vector<Device> last_column(std::span<const double> values, std::size_t width) {
  const kernels::Vector<Host> column("weights", values.size() / width);
  for (std::size_t i = 0; i < column.extent(0); ++i) column(i) = values[(i + 1) * width - 1];
  return Kokkos::create_mirror_view_and_copy(Device::memory_space(), column);
}

kernels::Matrix<Device> without_last_column(std::span<const double> values, std::size_t width) {
  const kernels::Matrix<Host> rest("numbers", values.size() / width, width - 1);
  for (std::size_t i = 0; i < rest.extent(0); ++i)
    for (std::size_t j = 0; j + 1 < width; ++j) rest(i, j) = values[i * width + j];
  return Kokkos::create_mirror_view_and_copy(Device::memory_space(), rest);
}

}  // namespace

std::uint64_t count_of(const RowSelection& rows) {
  if (const auto* const range = std::get_if<storage::IndexRange>(&rows)) return range->count();
  return std::get<std::vector<std::uint64_t>>(rows).size();
}

void HostRows::read(const Rows& rows, const RowSelection& wanted) {
  const std::uint64_t count = count_of(wanted);
  target.resize(count * rows.target_width());
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

void set_target(Batch& batch, Loss loss, std::span<double> target, const Rows& rows) {
  if (rows.is_weighted()) batch.weights = last_column(target, rows.target_width());
  if (loss.is_of_numbers()) {
    batch.numbers = rows.is_weighted() ? without_last_column(target, rows.target_width())
                                       : features_on_device(target, rows.targets());
    return;
  }
  const std::size_t width = rows.target_width();
  const kernels::Labels<Host> labels("labels", rows.targets() == 0 ? 0 : target.size() / width);
  for (std::size_t i = 0; i < labels.extent(0); ++i) labels(i) = static_cast<int>(target[i * width]);
  batch.labels = Kokkos::create_mirror_view_and_copy(Device::memory_space(), labels);
}

Batch batch_of(const Rows& rows, Loss loss, HostRows& host) {
  Batch batch;
  if (rows.is_sparse()) {
    batch.sparse = on_device(host.sparse);
  } else {
    batch.features = features_on_device(host.features, rows.features());
  }
  set_target(batch, loss, host.target, rows);
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
