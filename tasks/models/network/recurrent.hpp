#pragma once
#include "kernmill/tasks/models/network/recurrent_units.hpp"

namespace kernmill::tasks {

/// An LSTM (Hochreiter and Schmidhuber, 1997, with a forget gate) or a GRU (Cho et al., 2014) over the steps
/// of each row, which are its inputs one after the other; the state before the first step is zero. Gates are
/// those of PyTorch, in its order (kernels/recurrent.hpp), with one bias each: that of the inputs, PyTorch's
/// bias_ih, where its bias_hh is zero. Parameters lie as those of its units do.
template <class T>
class Recurrent : public Layer<T> {
 public:
  using typename Layer<T>::Vector;
  using typename Layer<T>::Matrix;

  /// `number` is what a model file calls it by, `how` how it multiplies.
  Recurrent(const SequenceShape& shape, std::size_t number, kernels::Multiply how = kernels::Multiply::fast);

  [[nodiscard]] std::vector<ParameterTensor> tensors() const override;
  /// All uniform in +- 1 / sqrt(hidden), keyed by seed, layer and index.
  void start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const override;
  void forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass& pass,
               const Matrix& output) override;
  /// Through time, over all steps.
  void backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                const Matrix& delta, const Matrix& input_delta) override;
  [[nodiscard]] std::vector<GradientPart> parts(const BatchOf<T>&) const override { return units_.parts(); }
  void add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;
  bool fold_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta,
                     const Pieces& pieces, std::span<const Vector> sums) override;

 private:
  void reserve(std::size_t rows);

  SequenceShape shape_;
  std::size_t number_;
  RecurrentUnits<T> units_;
  typename RecurrentUnits<T>::Memory memory_;
  Matrix state_, delta_, more_delta_;  ///< of a step
};

}  // namespace kernmill::tasks
