#pragma once
#include <span>
#include <vector>

#include "kernmill/kernels/recurrent.hpp"
#include "kernmill/tasks/models/network/dense.hpp"
#include "kernmill/tasks/models/network/layer.hpp"
#include "kernmill/tasks/models/network/sequence_shape.hpp"

namespace kernmill::tasks {

/// Units of a recurrent layer: all of them, or a slice. What goes into their gates at a step is the inputs'
/// share (rows x columns) and that of the state before it, of all units (rows x hidden). Behind the inputs'
/// weights (columns x gates * units) lie the state's (hidden x gates * units), and the biases. Of a way back
/// it remembers the last one alone; of a way forward nothing: that is in its memory.
template <class T>
class RecurrentUnits {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;
  using Memory = kernels::CellMemory<kernels::Device, T>;

  RecurrentUnits(const SequenceShape& shape, std::uint64_t units, kernels::Multiply how);

  [[nodiscard]] std::size_t width() const { return gates_of(shape_.cell) * units_; }  ///< of the gates
  [[nodiscard]] std::size_t state_weights_at() const { return shape_.columns * width(); }
  [[nodiscard]] std::size_t bias_at() const { return state_weights_at() + shape_.hidden * width(); }
  [[nodiscard]] std::size_t parameters() const { return bias_at() + width(); }
  [[nodiscard]] Memory make_memory(std::size_t rows) const;

  /// The inputs' share of all steps' gates, of rows x steps * columns.
  void take_inputs(const Vector& parameters, const Matrix& input, Cuts cuts, const Memory& memory);
  /// Their state behind step t. `state` is that of all units in front of it, which the first step does not
  /// look at; out.state may be the same.
  void step(std::size_t t, const Vector& parameters, const Matrix& state, Cuts cuts, const Memory& memory,
            const kernels::StateOut<kernels::Device, T>& out);

  /// Before the way back of so many rows.
  void begin_back(std::size_t rows);
  /// `delta` (rows x units), the gradient by their state behind step t, becomes, of a GRU, that by their
  /// state in front of it without what goes by way of the gates.
  void step_back(std::size_t t, const Memory& memory, const Matrix& delta);
  /// Of the last step back: the gradient by the state of all units (rows x hidden) by way of these units'
  /// gates.
  void give_to_state(const Vector& parameters, Cuts cuts, const Matrix& state_delta);
  /// Of all steps: the gradient by the inputs (rows x steps * columns) by way of these units.
  void give_to_inputs(const Vector& parameters, Cuts cuts, const Matrix& input_delta);

  [[nodiscard]] std::vector<GradientPart> parts() const;
  /// Of the last way back; `before` has the states of all units in front of each step (rows * steps x
  /// hidden).
  void add_gradient(const GradientPart& part, const Matrix& input, const Matrix& before, std::size_t first,
                    std::size_t count, const Vector& gradient);
  bool fold_gradient(const GradientPart& part, const Matrix& input, const Matrix& before,
                     const Pieces& pieces, std::span<const Vector> sums);

 private:
  void reserve(std::size_t rows);
  [[nodiscard]] Matrix input_weights(const Vector& parameters) const;
  [[nodiscard]] Matrix state_weights(const Vector& parameters) const;
  [[nodiscard]] Matrix steps_of(const Matrix& rows) const;
  [[nodiscard]] Matrix of_steps(const Matrix& all, std::size_t first, std::size_t rows) const;
  [[nodiscard]] std::vector<std::size_t> step_cuts(Cuts cuts) const;
  /// What a part's gradient is the product of.
  struct Factors {
    Matrix inputs, delta;
  };
  [[nodiscard]] Factors factors_of(const GradientPart& part, const Matrix& input, const Matrix& before) const;

  SequenceShape shape_;
  std::uint64_t units_;
  kernels::Multiply how_;
  RowsTogether<T> inputs_forward_, inputs_backward_, state_forward_, state_backward_;
  Matrix from_state_, cell_delta_, step_delta_;  ///< of a step
  /// Of all steps: the gradient by what goes into the gates, and, of a GRU, by the state's share of that.
  Matrix gate_delta_, gru_state_delta_;
  Vector bias_sums_;
};

}  // namespace kernmill::tasks
