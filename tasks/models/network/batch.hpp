#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "kernmill/kernels/optimizer.hpp"
#include "kernmill/kernels/sparse.hpp"
#include "kernmill/kernels/types.hpp"

namespace kernmill::tasks {

/// Rows on the device: features, dense (n x d) or sparse, and what they should give, by the network's loss.
template <class T>
struct BatchOf {
  kernels::Matrix<kernels::Device, T> features;
  kernels::SparseRows<kernels::Device> sparse;
  /// The same sparse rows where the first layer's gradient has a few of the features only: their columns are
  /// counted among these, which are ascending. Without it the gradient has all.
  kernels::SparseRows<kernels::Device> compact;
  std::span<const std::uint32_t> gradient_features;
  kernels::Labels<kernels::Device> labels;      ///< of a class target
  kernels::Matrix<kernels::Device, T> numbers;  ///< of a numeric target, n x outputs
  kernels::Vector<kernels::Device> weights;     ///< how much each row counts; empty: once

  [[nodiscard]] bool is_sparse() const { return sparse.begins.extent(0) > 0; }
  [[nodiscard]] bool is_compact() const { return compact.begins.extent(0) > 0; }
  [[nodiscard]] std::size_t rows() const { return is_sparse() ? sparse.rows() : features.extent(0); }
};
using Batch = BatchOf<double>;

/// Rows [first, first + count) of a batch: a view, not a copy.
template <class T>
BatchOf<T> part_of(const BatchOf<T>& batch, std::size_t first, std::size_t count) {
  using kernels::Device;
  BatchOf<T> part;
  if (batch.is_sparse()) part.sparse = kernels::rows_of(batch.sparse, first, count);
  if (batch.is_compact()) part.compact = kernels::rows_of(batch.compact, first, count);
  part.gradient_features = batch.gradient_features;
  if (batch.features.data() != nullptr)
    part.features = kernels::rows_of<Device, T>(batch.features, first, count);
  if (batch.labels.data() != nullptr)
    part.labels = kernels::Labels<Device>(batch.labels.data() + first, count);
  if (batch.numbers.data() != nullptr)
    part.numbers = kernels::rows_of<Device, T>(batch.numbers, first, count);
  if (batch.weights.data() != nullptr) part.weights = kernels::part_of<Device>(batch.weights, first, count);
  return part;
}

/// A batch in another element type: a copy, whose memory is used again. In double, the batch itself.
template <class T>
class BatchAs {
 public:
  /// Valid until the next call, and as long as `batch` is.
  BatchOf<T> operator()(const Batch& batch) {
    if constexpr (std::is_same_v<T, double>) {
      return batch;
    } else {
      BatchOf<T> out;
      out.sparse = batch.sparse;
      out.compact = batch.compact;
      out.gradient_features = batch.gradient_features;
      out.labels = batch.labels;
      out.weights = batch.weights;
      out.features = copy(batch.features, features_);
      out.numbers = copy(batch.numbers, numbers_);
      return out;
    }
  }

 private:
  using Matrix = kernels::Matrix<kernels::Device, T>;
  static Matrix copy(const kernels::Matrix<kernels::Device>& from,
                     kernels::Vector<kernels::Device, T>& memory) {
    using kernels::Device;
    if (from.data() == nullptr) return Matrix();
    if (memory.extent(0) < from.size()) memory = kernels::make_vector<Device, T>(from.size());
    kernels::convert<Device, double, T>(Device(), kernels::Vector<Device>(from.data(), from.size()),
                                        kernels::part_of<Device, T>(memory, 0, from.size()));
    return Matrix(memory.data(), from.extent(0), from.extent(1));
  }
  kernels::Vector<kernels::Device, T> features_, numbers_;
};

}  // namespace kernmill::tasks
