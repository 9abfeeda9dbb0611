#pragma once
#include <span>
#include <vector>

#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// What goes between layers: rows x width in one, or a matrix for each of a rank's slices.
template <class T>
using Sliced = std::vector<kernels::Matrix<kernels::Device, T>>;

/// A layer as far as a rank has it: Layer's in slices. Nothing is remembered of a pass, since several are on
/// their way in a pipeline.
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

  /// As Layer's; collective over the tensor group. `pass` is that of the rows.
  virtual void forward(const Vector& parameters, const Sliced<T>& input, Cuts cuts, const Pass& pass,
                       const Sliced<T>& output) = 0;
  /// Without an input_delta that is not wanted.
  virtual void backward(const Vector& parameters, const Sliced<T>& input, const Sliced<T>& output, Cuts cuts,
                        const Pass& pass, const Sliced<T>& delta, const Sliced<T>& input_delta) = 0;

  /// A part of the gradient that is folded in one go: a slice's weights, or its biases.
  struct Part {
    GradientPart place;
    std::size_t slice = 0;
    bool is_bias = false;
  };
  [[nodiscard]] virtual std::vector<Part> parts() const { return {}; }
  virtual void add_gradient(const Part&, const Sliced<T>& /*input*/, const Sliced<T>& /*delta*/,
                            std::size_t /*first*/, std::size_t /*count*/, const Vector& /*gradient*/) {}
  virtual bool fold_gradient(const Part&, const Sliced<T>& /*input*/, const Sliced<T>& /*delta*/,
                             const Pieces&, std::span<const Vector> /*sums*/) {
    return false;
  }
};

}  // namespace kernmill::tasks
