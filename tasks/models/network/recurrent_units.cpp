#include "kernmill/tasks/models/network/recurrent_units.hpp"

#include "kernmill/kernels/product_fold.hpp"
#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {

using kernels::Device;
using kernels::Transpose;

template <class T>
RecurrentUnits<T>::RecurrentUnits(const SequenceShape& shape, std::uint64_t units, kernels::Multiply how)
    : shape_(shape),
      units_(units),
      how_(how),
      inputs_forward_(Transpose::no, shape.columns, width(), how),
      inputs_backward_(Transpose::yes, width(), shape.columns, how),
      state_forward_(Transpose::no, shape.hidden, width(), how),
      state_backward_(Transpose::yes, width(), shape.hidden, how),
      bias_sums_(kernels::make_vector<Device, T>(width())) {}

template <class T>
typename RecurrentUnits<T>::Memory RecurrentUnits<T>::make_memory(std::size_t rows) const {
  const auto make = [&](std::size_t columns) {
    return kernels::make_matrix<Device, T>(rows * shape_.steps, columns);
  };
  return {shape_.steps, make(width()), make(units_), make(units_)};
}

template <class T>
void RecurrentUnits<T>::reserve(std::size_t rows) {
  if (from_state_.extent(0) >= rows) return;
  const auto make = [](std::size_t n, std::size_t m) { return kernels::make_matrix<Device, T>(n, m); };
  from_state_ = make(rows, width());
  step_delta_ = make(rows, width());
  gate_delta_ = make(rows * shape_.steps, width());
  if (shape_.cell == Cell::lstm) cell_delta_ = make(rows, units_);
  if (shape_.cell == Cell::gru) gru_state_delta_ = make(rows * shape_.steps, width());
}

template <class T>
typename RecurrentUnits<T>::Matrix RecurrentUnits<T>::input_weights(const Vector& parameters) const {
  return kernels::matrix_of<Device, T>(parameters, 0, shape_.columns, width());
}

template <class T>
typename RecurrentUnits<T>::Matrix RecurrentUnits<T>::state_weights(const Vector& parameters) const {
  return kernels::matrix_of<Device, T>(parameters, state_weights_at(), shape_.hidden, width());
}

/// The same numbers, a row a step.
template <class T>
typename RecurrentUnits<T>::Matrix RecurrentUnits<T>::steps_of(const Matrix& rows) const {
  return Matrix(rows.data(), rows.extent(0) * shape_.steps, rows.extent(1) / shape_.steps);
}

template <class T>
typename RecurrentUnits<T>::Matrix RecurrentUnits<T>::of_steps(const Matrix& all, std::size_t first,
                                                               std::size_t rows) const {
  return kernels::rows_of<Device, T>(all, first * shape_.steps, rows * shape_.steps);
}

template <class T>
std::vector<std::size_t> RecurrentUnits<T>::step_cuts(Cuts cuts) const {
  std::vector<std::size_t> steps(cuts.begin(), cuts.end());
  for (std::size_t& cut : steps) cut *= shape_.steps;
  return steps;
}

template <class T>
void RecurrentUnits<T>::take_inputs(const Vector& parameters, const Matrix& input, Cuts cuts,
                                    const Memory& memory) {
  const std::size_t rows = input.extent(0);
  reserve(rows);
  const Matrix gates = of_steps(memory.gates, 0, rows);
  inputs_forward_.multiply(steps_of(input), input_weights(parameters), step_cuts(cuts), gates);
  kernels::add_bias_and_activate<Device, T>(Device(), kernels::Activation::identity,
                                            kernels::part_of<Device, T>(parameters, bias_at(), width()),
                                            gates);
}

template <class T>
void RecurrentUnits<T>::step(std::size_t t, const Vector& parameters, const Matrix& state, Cuts cuts,
                             const Memory& memory, const kernels::StateOut<Device, T>& out) {
  const Matrix from_state = kernels::rows_of<Device, T>(from_state_, 0, out.state.extent(0));
  if (t == 0) {
    Kokkos::deep_copy(Device(), from_state, T(0));
  } else {
    state_forward_.multiply(state, state_weights(parameters), cuts, from_state);
  }
  if (shape_.cell == Cell::lstm) {
    kernels::lstm_step<Device, T>(Device(), t, from_state, memory, out);
  } else {
    kernels::gru_step<Device, T>(Device(), t, from_state, memory, out);
  }
}

template <class T>
void RecurrentUnits<T>::begin_back(std::size_t rows) {
  if (shape_.cell == Cell::lstm)
    Kokkos::deep_copy(Device(), kernels::rows_of<Device, T>(cell_delta_, 0, rows), T(0));
}

template <class T>
void RecurrentUnits<T>::step_back(std::size_t t, const Memory& memory, const Matrix& delta) {
  const std::size_t rows = delta.extent(0);
  const Matrix step_delta = kernels::rows_of<Device, T>(step_delta_, 0, rows);
  if (shape_.cell == Cell::lstm) {
    kernels::backward_lstm_step<Device, T>(Device(), t, memory, delta,
                                           kernels::rows_of<Device, T>(cell_delta_, 0, rows), gate_delta_,
                                           step_delta);
  } else {
    kernels::backward_gru_step<Device, T>(Device(), t, memory, delta, gate_delta_, gru_state_delta_,
                                          step_delta);
  }
}

template <class T>
void RecurrentUnits<T>::give_to_state(const Vector& parameters, Cuts cuts, const Matrix& state_delta) {
  state_backward_.multiply(kernels::rows_of<Device, T>(step_delta_, 0, state_delta.extent(0)),
                           state_weights(parameters), cuts, state_delta);
}

template <class T>
void RecurrentUnits<T>::give_to_inputs(const Vector& parameters, Cuts cuts, const Matrix& input_delta) {
  inputs_backward_.multiply(of_steps(gate_delta_, 0, input_delta.extent(0)), input_weights(parameters),
                            step_cuts(cuts), steps_of(input_delta));
}

template <class T>
std::vector<GradientPart> RecurrentUnits<T>::parts() const {
  return {{0, state_weights_at()}, {state_weights_at(), shape_.hidden * width()}, {bias_at(), width()}};
}

template <class T>
typename RecurrentUnits<T>::Factors RecurrentUnits<T>::factors_of(const GradientPart& part,
                                                                  const Matrix& input,
                                                                  const Matrix& before) const {
  if (part.offset == 0) return {steps_of(input), gate_delta_};
  return {before, shape_.cell == Cell::gru ? gru_state_delta_ : gate_delta_};
}

template <class T>
void RecurrentUnits<T>::add_gradient(const GradientPart& part, const Matrix& input, const Matrix& before,
                                     std::size_t first, std::size_t count, const Vector& gradient) {
  if (part.offset == bias_at()) {
    kernels::column_sums<Device, T>(Device(), of_steps(gate_delta_, first, count), bias_sums_);
    kernels::add<Device, T>(Device(), bias_sums_, gradient);
    return;
  }
  const Factors of = factors_of(part, input, before);
  const std::size_t inputs = of.inputs.extent(1);
  kernels::add_product_of_columns<Device, T>(
      Device(), of_steps(of.inputs, first, count), 0, inputs, of_steps(of.delta, first, count),
      kernels::matrix_of<Device, T>(gradient, 0, inputs, width()), how_);
}

template <class T>
bool RecurrentUnits<T>::fold_gradient(const GradientPart& part, const Matrix& input, const Matrix& before,
                                      const Pieces& pieces, std::span<const Vector> sums) {
  if (part.offset == bias_at()) return false;
  const Factors of = factors_of(part, input, before);
  return fold_weight_gradient<T>(of.inputs, 0, of.inputs.extent(1), of.delta,
                                 {step_cuts(pieces.cuts), pieces.first_leaf}, sums, how_);
}

template class RecurrentUnits<double>;
template class RecurrentUnits<float>;

}  // namespace kernmill::tasks
