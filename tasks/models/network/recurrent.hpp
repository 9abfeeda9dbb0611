#pragma once
#include "kernmill/kernels/recurrent.hpp"
#include "kernmill/tasks/models/network/dense.hpp"
#include "kernmill/tasks/models/network/layer.hpp"
#include "kernmill/tasks/models/network/network_shape.hpp"

namespace kernmill::tasks {

/// 4 of an LSTM, 3 of a GRU.
std::uint64_t gates_of(Cell cell);

struct SequenceShape {
  Cell cell = Cell::lstm;
  std::size_t steps = 1;
  std::uint64_t columns = 1;  ///< of a step's input
  std::uint64_t hidden = 1;
  bool all_steps = false;  ///< whether it gives the states of all steps on, in their order, or the last alone
};

/// An LSTM (Hochreiter and Schmidhuber, 1997, with a forget gate) or a GRU (Cho et al., 2014) over the steps
/// of each row, which are its inputs one after the other; the state before the first step is zero. Gates are
/// those of PyTorch, in its order (kernels/recurrent.hpp), with one bias each: that of the inputs, PyTorch's
/// bias_ih, where its bias_hh is zero. Behind the inputs' weights (columns x gates * hidden) lie the state's
/// (hidden x gates * hidden), and the biases.
template <class T>
class Recurrent : public Layer<T> {
 public:
  using typename Layer<T>::Vector;
  using typename Layer<T>::Matrix;

  Recurrent(const SequenceShape& shape, std::size_t number);

  [[nodiscard]] std::vector<ParameterTensor> tensors() const override;
  /// All uniform in +- 1 / sqrt(hidden), keyed by seed, layer and index.
  void start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const override;
  void forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass& pass,
               const Matrix& output) override;
  /// Through time, over all steps.
  void backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                const Matrix& delta, const Matrix& input_delta) override;
  [[nodiscard]] std::vector<GradientPart> parts(const BatchOf<T>& input) const override;
  void add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;
  bool fold_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta,
                     const Pieces& pieces, std::span<const Vector> sums) override;

 private:
  using Memory = kernels::CellMemory<kernels::Device, T>;

  void reserve(std::size_t rows);
  [[nodiscard]] std::size_t width() const { return gates_of(shape_.cell) * shape_.hidden; }  ///< of the gates
  [[nodiscard]] std::size_t state_weights_at() const { return shape_.columns * width(); }
  [[nodiscard]] std::size_t bias_at() const { return state_weights_at() + shape_.hidden * width(); }
  [[nodiscard]] Matrix input_weights(const Vector& parameters) const;
  [[nodiscard]] Matrix state_weights(const Vector& parameters) const;
  [[nodiscard]] Matrix steps_of(const Matrix& rows) const;
  [[nodiscard]] std::vector<std::size_t> step_cuts(Cuts cuts) const;
  /// Rows [0, rows) of an array of a row a row, and of one of a row a step.
  [[nodiscard]] Matrix of_rows(const Matrix& all, std::size_t rows) const;
  [[nodiscard]] Matrix of_steps(const Matrix& all, std::size_t first, std::size_t rows) const;
  [[nodiscard]] const Matrix& state_delta() const;
  void back_from(std::size_t step, const Vector& parameters, Cuts cuts, std::size_t rows);

  SequenceShape shape_;
  std::size_t number_;
  RowsTogether<T> inputs_forward_, inputs_backward_, state_forward_, state_backward_;
  Memory memory_;
  Matrix state_, from_state_;  ///< of a step: h, and what it gives to the gates
  Matrix delta_, cell_delta_, step_delta_, more_delta_;
  /// Of all steps: the gradient by what goes into the gates, and, of a GRU, by the state's share of that.
  Matrix gate_delta_, gru_state_delta_;
  Vector bias_sums_;
};

}  // namespace kernmill::tasks
