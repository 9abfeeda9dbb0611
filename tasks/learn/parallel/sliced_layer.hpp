#pragma once
#include <span>
#include <vector>

#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// What goes between layers: rows x width in one, or a matrix for each of a rank's slices.
template <class T>
using Sliced = std::vector<kernels::Matrix<kernels::Device, T>>;

template <class T>
Sliced<T> make_sliced(std::size_t count, std::size_t rows, std::size_t width) {
  Sliced<T> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(kernels::make_matrix<kernels::Device, T>(rows, width));
  return out;
}

/// In memory that grows.
template <class T>
Sliced<T> sliced_in(std::vector<kernels::Vector<kernels::Device, T>>& memory, std::size_t count,
                    std::size_t rows, std::size_t width) {
  memory.resize(count);
  Sliced<T> out;
  for (auto& values : memory) {
    if (values.extent(0) < rows * width) values = kernels::make_vector<kernels::Device, T>(rows * width);
    out.push_back(kernels::matrix_of<kernels::Device, T>(values, 0, rows, width));
  }
  return out;
}

/// Rows at a layer: what goes in, what comes out, and what the layer remembers of their way forward.
template <class T>
struct LayerRows {
  const Sliced<T>&input, &output, &memory;
  Cuts cuts;
  const Pass& pass;
  const BatchOf<T>* sparse = nullptr;  ///< of the network's first layer: what goes in, where that is sparse
};

/// A layer as far as a rank has it: Layer's in slices. What it remembers of a pass lies in memory of the
/// rows, since several passes are on their way in a pipeline; of the way back it may remember the last one.
template <class T>
class SlicedLayer {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;

  SlicedLayer() = default;
  virtual ~SlicedLayer() = default;
  SlicedLayer(const SlicedLayer&) = delete;
  SlicedLayer& operator=(const SlicedLayer&) = delete;

  [[nodiscard]] virtual std::size_t parameters() const = 0;
  /// Memory for what goes out of it.
  [[nodiscard]] virtual Sliced<T> make_output(std::size_t rows) const = 0;
  /// Memory for what it remembers of a way forward of so many rows, or fewer.
  [[nodiscard]] virtual Sliced<T> make_memory(std::size_t /*rows*/) const { return {}; }

  /// As Layer's; collective over the tensor group.
  virtual void forward(const Vector& parameters, const LayerRows<T>& rows) = 0;
  /// Without an input_delta that is not wanted.
  virtual void backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                        const Sliced<T>& input_delta) = 0;

  /// A part of the layer's gradient that is folded in one go: a slice's weights, or its biases.
  struct Part {
    GradientPart place;
    std::size_t slice = 0;
    bool is_bias = false;
  };
  [[nodiscard]] virtual std::vector<Part> parts(const LayerRows<T>&) const { return {}; }
  virtual void add_gradient(const Part&, const LayerRows<T>&, const Sliced<T>& /*delta*/,
                            std::size_t /*first*/, std::size_t /*count*/, const Vector& /*gradient*/) {}
  virtual bool fold_gradient(const Part&, const LayerRows<T>&, const Sliced<T>& /*delta*/, const Pieces&,
                             std::span<const Vector> /*sums*/) {
    return false;
  }
};

}  // namespace kernmill::tasks
