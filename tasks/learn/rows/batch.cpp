#include "kernmill/tasks/learn/rows/batch.hpp"

#include <algorithm>
#include <chrono>

namespace kernmill::tasks {

using kernels::Device;
using kernels::Host;

void BatchLoader::resize(std::size_t rows) {
  features_.resize(rows * rows_->features());
  target_.resize(rows * rows_->targets());
}

Batch BatchLoader::load(storage::IndexRange range) {
  wait_for([&] {
    resize(range.count());
    rows_->read(range, features_, target_);
  });
  return upload();
}

void BatchLoader::prefetch(std::vector<std::uint64_t> numbers) {
  constexpr std::size_t worth_a_thread = std::size_t{64} << 10;
  if (!ahead_) ahead_ = std::make_unique<Ahead>();
  if (ahead_->done.valid()) ahead_->done.wait();
  ahead_->done = {};
  if (numbers.size() * rows_->features() * sizeof(double) < worth_a_thread) return;
  ahead_->numbers = std::move(numbers);
  ahead_->features.resize(ahead_->numbers.size() * rows_->features());
  ahead_->target.resize(ahead_->numbers.size() * rows_->targets());
  ahead_->done = std::async(std::launch::async, [rows = rows_, ahead = ahead_.get()] {
    rows->read(ahead->numbers, ahead->features, ahead->target);
  });
}

bool BatchLoader::take_ahead(std::span<const std::uint64_t> numbers) {
  if (!ahead_ || !ahead_->done.valid() ||
      !std::equal(numbers.begin(), numbers.end(), ahead_->numbers.begin(), ahead_->numbers.end()))
    return false;
  ahead_->done.get();
  features_.swap(ahead_->features);
  target_.swap(ahead_->target);
  return true;
}

Batch BatchLoader::load(std::span<const std::uint64_t> numbers) {
  wait_for([&] {
    if (take_ahead(numbers)) return;
    resize(numbers.size());
    rows_->read(numbers, features_, target_);
  });
  return upload();
}

void BatchLoader::wait_for(const std::function<void()>& read) {
  const auto start = std::chrono::steady_clock::now();
  read();
  reading_.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  reading_.bytes += (features_.size() + target_.size()) * sizeof(double);
}

Batch BatchLoader::upload() {
  const std::size_t columns = rows_->features(), rows = features_.size() / columns;
  const kernels::Matrix<Host> features(features_.data(), rows, columns);
  Batch batch;
  batch.features = Kokkos::create_mirror_view_and_copy(Device::memory_space(), features);
  if (loss_ == Loss::squared_error) {
    const kernels::Matrix<Host> numbers(target_.data(), rows, rows_->targets());
    batch.numbers = Kokkos::create_mirror_view_and_copy(Device::memory_space(), numbers);
    return batch;
  }
  const kernels::Labels<Host> labels("labels", rows);
  for (std::size_t i = 0; i < rows; ++i) labels(i) = static_cast<int>(target_[i]);
  batch.labels = Kokkos::create_mirror_view_and_copy(Device::memory_space(), labels);
  return batch;
}

Batch part_of(const Batch& batch, std::size_t first, std::size_t count) {
  Batch part;
  part.features = kernels::rows_of<Device>(batch.features, first, count);
  if (batch.labels.data() != nullptr)
    part.labels = kernels::Labels<Device>(batch.labels.data() + first, count);
  if (batch.numbers.data() != nullptr) part.numbers = kernels::rows_of<Device>(batch.numbers, first, count);
  return part;
}

}  // namespace kernmill::tasks
