#pragma once
#include <cstdint>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "kernmill/kernels/kernel_function.hpp"

namespace kernmill::tasks {

/// Rows of a kernel matrix, those that were asked for last: of each a rank has the columns that are its own.
class KernelCache {
 public:
  using Device = kernels::Device;
  /// `rows` are the numbers of the matrix' rows among `all`, and `columns` those of this rank's columns.
  /// Has room for `capacity` rows, and at least for what is asked for at a time.
  KernelCache(const kernels::Matrix<Device>& all, const kernels::KernelFunction& function,
              std::vector<std::uint64_t> rows, std::span<const std::uint64_t> columns,
              std::uint64_t capacity);

  /// Computes what is not there yet. Returns the places of these rows in values().
  const std::vector<std::size_t>& hold(std::span<const std::uint64_t> rows);
  /// One row a place.
  [[nodiscard]] const kernels::Matrix<Device>& values() const { return values_; }

 private:
  struct Held {
    std::size_t place;
    std::list<std::uint64_t>::iterator use;
  };
  std::size_t place_for(std::uint64_t row);
  void compute(std::span<const std::uint64_t> rows, std::span<const std::size_t> places);

  kernels::Matrix<Device> all_;
  kernels::KernelFunction function_;
  std::vector<std::uint64_t> rows_;
  kernels::KernelRows<Device> columns_;
  kernels::Matrix<Device> tile_, values_;
  std::unordered_map<std::uint64_t, Held> held_;
  std::list<std::uint64_t> uses_;  ///< the latest first
  std::vector<std::size_t> places_;
};

}  // namespace kernmill::tasks
