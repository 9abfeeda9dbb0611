#include "kernmill/tasks/learn/svm/kernel_cache.hpp"

#include <algorithm>

#include "kernmill/tasks/learn/svm/row_numbers.hpp"

namespace kernmill::tasks {
namespace {

using kernels::Device;
kernels::KernelRows<Device> chosen_rows(const kernels::Matrix<Device>& all,
                                        std::span<const std::uint64_t> rows, std::size_t tile) {
  auto out = kernels::make_kernel_rows<Device>(rows.size(), all.extent(1), tile);
  kernels::take_rows<Device>(Device(), all, row_numbers(rows), out);
  return out;
}

}  // namespace

KernelCache::KernelCache(const kernels::Matrix<Device>& all, const kernels::KernelFunction& function,
                         std::vector<std::uint64_t> rows, std::span<const std::uint64_t> columns,
                         std::uint64_t capacity)
    : all_(all),
      function_(function),
      rows_(std::move(rows)),
      columns_(chosen_rows(all, columns, kernels::kernel_tile_columns)),
      tile_(kernels::make_matrix<Device>(kernels::kernel_tile_rows, kernels::kernel_tile_columns)),
      values_(kernels::make_matrix<Device>(std::min<std::size_t>(capacity, rows_.size()), columns.size())) {}

std::size_t KernelCache::place_for(std::uint64_t row) {
  std::size_t place = held_.size();
  if (place == values_.extent(0)) {
    place = held_.at(uses_.back()).place;
    held_.erase(uses_.back());
    uses_.pop_back();
  }
  uses_.push_front(row);
  held_[row] = {place, uses_.begin()};
  return place;
}

const std::vector<std::size_t>& KernelCache::hold(std::span<const std::uint64_t> rows) {
  for (const std::uint64_t row : rows)  // none of these must give way to another of them
    if (const auto found = held_.find(row); found != held_.end())
      uses_.splice(uses_.begin(), uses_, found->second.use);
  std::vector<std::uint64_t> missing;
  std::vector<std::size_t> places;
  for (const std::uint64_t row : rows) {
    if (held_.contains(row)) continue;
    missing.push_back(rows_[row]);
    places.push_back(place_for(row));
  }
  if (!missing.empty() && columns_.count > 0) compute(missing, places);
  places_.clear();
  for (const std::uint64_t row : rows) places_.push_back(held_.at(row).place);
  return places_;
}

void KernelCache::compute(std::span<const std::uint64_t> rows, std::span<const std::size_t> places) {
  kernels::kernel_matrix<Device>(Device(), function_, chosen_rows(all_, rows, kernels::kernel_tile_rows),
                                 columns_, tile_, row_numbers(places), values_);
}

}  // namespace kernmill::tasks
