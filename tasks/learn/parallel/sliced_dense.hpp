#pragma once
#include <vector>

#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/tensor_group.hpp"
#include "kernmill/tasks/models/network/dense.hpp"

namespace kernmill::tasks {

/// What goes between layers: rows x width in one, or a matrix for each of a rank's slices.
template <class T>
using Sliced = std::vector<kernels::Matrix<kernels::Device, T>>;

/// A dense layer as far as a rank has it. Products are made slice by slice, so that their shapes, and their
/// bits, are those of any number of tensor ranks; partial sums are folded along the tree of the slices.
template <class T>
class SlicedDense {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;

  SlicedDense(const LayerCut& shape, kernels::Activation activation, TensorGroup<T>& group);

  /// Memory for what goes in or out of it.
  [[nodiscard]] Sliced<T> make_input(std::size_t rows) const;
  [[nodiscard]] Sliced<T> make_output(std::size_t rows) const;

  /// As Layer's; collective over the tensor group. Nothing is remembered.
  void forward(const Vector& parameters, const Sliced<T>& input, Cuts cuts, const Sliced<T>& output);
  void backward(const Vector& parameters, const Sliced<T>& output, Cuts cuts, const Sliced<T>& delta,
                const Sliced<T>& input_delta);

  /// A part of the gradient that is folded in one go: a slice's weights, or its biases.
  struct Part {
    GradientPart place;
    std::size_t slice = 0;
    bool is_bias = false;
  };
  [[nodiscard]] std::vector<Part> parts() const;
  void add_gradient(const Part& part, const Sliced<T>& input, const Sliced<T>& delta, std::size_t first,
                    std::size_t count, const Vector& gradient);
  bool fold_gradient(const Part& part, const Sliced<T>& input, const Sliced<T>& delta, const Pieces& pieces,
                     std::span<const Vector> sums);

 private:
  [[nodiscard]] bool is_alone() const { return shape_.cut == Cut::inputs && shape_.input_is_whole; }
  [[nodiscard]] Matrix weights(const Vector& parameters, std::size_t slice) const;
  [[nodiscard]] Sliced<T> scratch(std::size_t rows, std::size_t width);
  [[nodiscard]] Sliced<T> own_columns(const Matrix& input);
  /// What the weights of a part's slice are multiplied with: all columns, or those from the first on.
  struct PartInput {
    Matrix rows;
    std::size_t first = 0;
  };
  [[nodiscard]] PartInput input_of(const Part& part, const Sliced<T>& input) const;
  [[nodiscard]] Matrix delta_of(const Part& part, const Sliced<T>& delta) const;

  LayerCut shape_;
  kernels::Activation activation_;
  TensorGroup<T>& group_;
  RowsTogether<T> forward_, backward_;
  Vector bias_sums_;
  std::vector<Vector> memory_, columns_;
};

}  // namespace kernmill::tasks
