#pragma once
#include <vector>

#include "kernmill/tasks/learn/parallel/layer_cuts.hpp"
#include "kernmill/tasks/learn/parallel/sliced_layer.hpp"
#include "kernmill/tasks/learn/parallel/tensor_group.hpp"
#include "kernmill/tasks/models/network/dense.hpp"

namespace kernmill::tasks {

/// A dense layer as far as a rank has it. Products are made slice by slice, so that their shapes, and their
/// bits, are those of any number of tensor ranks; partial sums are folded along the tree of the slices.
template <class T>
class SlicedDense : public SlicedLayer<T> {
 public:
  using typename SlicedLayer<T>::Vector;
  using typename SlicedLayer<T>::Matrix;
  using typename SlicedLayer<T>::Part;

  /// `how` it multiplies: each slice's factors are rounded as those of the whole layer are.
  SlicedDense(const LayerCut& shape, kernels::Activation activation, TensorGroup<T>& group,
              kernels::Multiply how = kernels::Multiply::fast);

  [[nodiscard]] std::size_t parameters() const override { return shape_.parameters(); }
  [[nodiscard]] Sliced<T> make_output(std::size_t rows) const override;

  void forward(const Vector& parameters, const LayerRows<T>& rows) override;
  void backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                const Sliced<T>& input_delta) override;
  [[nodiscard]] std::vector<Part> parts(const LayerRows<T>& rows) const override;
  void add_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;
  bool fold_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta, const Pieces& pieces,
                     std::span<const Vector> sums) override;

 private:
  [[nodiscard]] bool is_alone() const { return shape_.cut == Cut::inputs && shape_.input_is_whole; }
  [[nodiscard]] Matrix weights(const Vector& parameters, std::size_t slice) const;
  [[nodiscard]] Sliced<T> scratch(std::size_t rows, std::size_t width);
  [[nodiscard]] Sliced<T> own_columns(const Matrix& input);
  void multiply(std::size_t slice, const Vector& parameters, const LayerRows<T>& rows, const Matrix& input,
                const Matrix& output);
  /// Of a compact gradient, the features that a slice has weights of.
  [[nodiscard]] storage::IndexRange compact_features(std::size_t slice, const BatchOf<T>& sparse) const;
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
  kernels::Multiply how_;
  RowsTogether<T> forward_, backward_;
  Vector bias_sums_;
  std::vector<Vector> memory_, columns_;
};

}  // namespace kernmill::tasks
