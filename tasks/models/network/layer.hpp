#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernmill/kernels/types.hpp"
#include "kernmill/tasks/models/network/batch.hpp"

namespace kernmill::tasks {

/// A tensor of parameters, and where it lies in a network's flat vector.
struct ParameterTensor {
  std::string name;  ///< as a model file calls it
  std::vector<std::uint64_t> shape;
  std::size_t offset = 0;
  bool is_weight = true;  ///< weights are penalized, and decay; biases are not

  [[nodiscard]] std::size_t size() const {
    std::size_t product = 1;
    for (const std::uint64_t extent : shape) product *= extent;
    return product;
  }
};

/// A layer as others see it: its widths, and where its parameters lie in a network's flat vector.
struct LayerExtent {
  std::uint64_t inputs = 0, outputs = 0;
  std::size_t begin = 0, end = 0;
};

/// A part of a layer's gradient, from its beginning.
struct GradientPart {
  std::size_t offset = 0, size = 0;
};

/// What a pass over rows is for.
struct Pass {
  bool trains = false;  ///< else layers that behave otherwise in training (dropout) do nothing
  std::uint64_t seed = 0, step = 0;
  std::uint64_t first_row = 0;  ///< of these rows, among those of the step's whole batch
};

/// Where the pieces of some rows begin, and the end. What a layer makes of a row has the same bits whether
/// its piece comes alone or with others.
using Cuts = std::span<const std::size_t>;

/// Pieces of rows as the leaves `first_leaf`... of a tree (kernels::TreeFold).
struct Pieces {
  Cuts cuts;
  std::uint64_t first_leaf = 0;
};

/// One step of a network, from n x inputs to n x outputs. Its parameters are a part of the network's flat
/// vector. What it remembers of a forward pass is of the last one; rows go forward, then backward.
template <class T>
class Layer {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;

  Layer(std::uint64_t inputs, std::uint64_t outputs) : inputs_(inputs), outputs_(outputs) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  [[nodiscard]] std::uint64_t inputs() const { return inputs_; }
  [[nodiscard]] std::uint64_t outputs() const { return outputs_; }

  /// Its tensors, with offsets within its own part, which they fill without a gap.
  [[nodiscard]] virtual std::vector<ParameterTensor> tensors() const = 0;
  /// Where training starts, keyed by seed and the layer's number.
  virtual void start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const = 0;

  /// Of the first layer `input` may be sparse; of others it has features alone.
  virtual void forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass& pass,
                       const Matrix& output) = 0;
  /// `delta`, the gradient by the outputs, may be overwritten with what `add_gradient` wants. `input_delta`
  /// gets the gradient by the inputs; it is empty where nobody wants that.
  virtual void backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                        const Matrix& delta, const Matrix& input_delta) = 0;

  /// The parts of its parameters whose gradients are made one after the other.
  [[nodiscard]] virtual std::vector<GradientPart> parts(const BatchOf<T>& input) const = 0;
  /// Adds what rows [first, first + count) of the last pass give of a part.
  virtual void add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta,
                            std::size_t first, std::size_t count, const Vector& gradient) = 0;
  /// Sets what the whole subtrees of the pieces of the last pass give of a part, where that is faster than to
  /// add each piece's and to fold them; with the same bits. Else says no.
  virtual bool fold_gradient(const GradientPart& /*part*/, const BatchOf<T>& /*input*/,
                             const Matrix& /*delta*/, const Pieces& /*pieces*/,
                             std::span<const Vector> /*sums*/) {
    return false;
  }

 private:
  std::uint64_t inputs_, outputs_;
};

}  // namespace kernmill::tasks
