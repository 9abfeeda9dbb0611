#include "kernmill/tasks/models/network/recurrent.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "kernmill/kernels/product_fold.hpp"
#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {

using kernels::Device;
using kernels::Transpose;

std::uint64_t gates_of(Cell cell) {
  return cell == Cell::gru ? 3 : 4;
}

template <class T>
Recurrent<T>::Recurrent(const SequenceShape& shape, std::size_t number)
    : Layer<T>(shape.steps * shape.columns, shape.all_steps ? shape.steps * shape.hidden : shape.hidden),
      shape_(shape),
      number_(number),
      inputs_forward_(Transpose::no, shape.columns, width()),
      inputs_backward_(Transpose::yes, width(), shape.columns),
      state_forward_(Transpose::no, shape.hidden, width()),
      state_backward_(Transpose::yes, width(), shape.hidden),
      bias_sums_(kernels::make_vector<Device, T>(width())) {}

template <class T>
std::vector<ParameterTensor> Recurrent<T>::tensors() const {
  return {
      {fmt::format("layer_{}_input_weights", number_), {shape_.columns, width()}, 0, true},
      {fmt::format("layer_{}_state_weights", number_), {shape_.hidden, width()}, state_weights_at(), true},
      {fmt::format("layer_{}_bias", number_), {width()}, bias_at(), false}};
}

template <class T>
void Recurrent<T>::start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const {
  kernels::fill_uniform<kernels::Host>(kernels::Host(), seed, number,
                                       1.0 / std::sqrt(static_cast<double>(shape_.hidden)),
                                       kernels::host_vector(parameters.data(), parameters.size()));
  kernels::Host().fence();
}

template <class T>
void Recurrent<T>::reserve(std::size_t rows) {
  if (state_.extent(0) >= rows) return;
  const std::size_t all = rows * shape_.steps, hidden = shape_.hidden;
  const auto make = [](std::size_t n, std::size_t m) { return kernels::make_matrix<Device, T>(n, m); };
  memory_ = {shape_.steps, make(all, width()), make(all, hidden), make(all, hidden)};
  state_ = make(rows, hidden);
  from_state_ = make(rows, width());
  delta_ = make(rows, hidden);
  (shape_.cell == Cell::lstm ? cell_delta_ : more_delta_) = make(rows, hidden);
  step_delta_ = make(rows, width());
  gate_delta_ = make(all, width());
  if (shape_.cell == Cell::gru) gru_state_delta_ = make(all, width());
}

template <class T>
typename Recurrent<T>::Matrix Recurrent<T>::input_weights(const Vector& parameters) const {
  return kernels::matrix_of<Device, T>(parameters, 0, shape_.columns, width());
}

template <class T>
typename Recurrent<T>::Matrix Recurrent<T>::state_weights(const Vector& parameters) const {
  return kernels::matrix_of<Device, T>(parameters, state_weights_at(), shape_.hidden, width());
}

/// The same numbers, a row a step.
template <class T>
typename Recurrent<T>::Matrix Recurrent<T>::steps_of(const Matrix& rows) const {
  return Matrix(rows.data(), rows.extent(0) * shape_.steps, rows.extent(1) / shape_.steps);
}

template <class T>
std::vector<std::size_t> Recurrent<T>::step_cuts(Cuts cuts) const {
  std::vector<std::size_t> steps(cuts.begin(), cuts.end());
  for (std::size_t& cut : steps) cut *= shape_.steps;
  return steps;
}

template <class T>
typename Recurrent<T>::Matrix Recurrent<T>::of_rows(const Matrix& all, std::size_t rows) const {
  return kernels::rows_of<Device, T>(all, 0, rows);
}

template <class T>
typename Recurrent<T>::Matrix Recurrent<T>::of_steps(const Matrix& all, std::size_t first,
                                                     std::size_t rows) const {
  return kernels::rows_of<Device, T>(all, first * shape_.steps, rows * shape_.steps);
}

template <class T>
void Recurrent<T>::forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass&,
                           const Matrix& output) {
  const Device space;
  const std::size_t rows = input.rows(), hidden = shape_.hidden, last = shape_.steps - 1;
  reserve(rows);
  const Matrix gates = of_steps(memory_.gates, 0, rows), recurrent = of_rows(from_state_, rows),
               state = of_rows(state_, rows);
  inputs_forward_.multiply(steps_of(input.features), input_weights(parameters), step_cuts(cuts), gates);
  kernels::add_bias_and_activate<Device, T>(space, kernels::Activation::identity,
                                            kernels::part_of<Device, T>(parameters, bias_at(), width()),
                                            gates);
  Kokkos::deep_copy(space, recurrent, T(0));
  for (std::size_t t = 0; t <= last; ++t) {
    if (t > 0) state_forward_.multiply(state, state_weights(parameters), cuts, recurrent);
    const bool given = shape_.all_steps || t == last;
    const kernels::StateOut<Device, T> out{state, given ? output : Matrix(),
                                           shape_.all_steps ? t * hidden : 0};
    if (shape_.cell == Cell::lstm) {
      kernels::lstm_step<Device, T>(space, t, recurrent, memory_, out);
    } else {
      kernels::gru_step<Device, T>(space, t, recurrent, memory_, out);
    }
  }
}

template <class T>
const typename Recurrent<T>::Matrix& Recurrent<T>::state_delta() const {
  return shape_.cell == Cell::gru ? gru_state_delta_ : gate_delta_;
}

/// In place of the gradient by a step's state, that by the state before it.
template <class T>
void Recurrent<T>::back_from(std::size_t step, const Vector& parameters, Cuts cuts, std::size_t rows) {
  const Device space;
  const Matrix delta = of_rows(delta_, rows), step_delta = of_rows(step_delta_, rows);
  if (shape_.cell == Cell::lstm) {
    kernels::backward_lstm_step<Device, T>(space, step, memory_, delta, of_rows(cell_delta_, rows),
                                           gate_delta_, step_delta);
    if (step > 0) state_backward_.multiply(step_delta, state_weights(parameters), cuts, delta);
    return;
  }
  kernels::backward_gru_step<Device, T>(space, step, memory_, delta, gate_delta_, gru_state_delta_,
                                        step_delta);
  if (step == 0) return;
  const Matrix more = of_rows(more_delta_, rows);
  state_backward_.multiply(step_delta, state_weights(parameters), cuts, more);
  kernels::take_columns<Device, T>(space, more, 0, true, delta);
}

template <class T>
void Recurrent<T>::backward(const Vector& parameters, const BatchOf<T>& input, const Matrix&, Cuts cuts,
                            const Matrix& delta, const Matrix& input_delta) {
  const Device space;
  const std::size_t rows = input.rows(), last = shape_.steps - 1;
  if (shape_.cell == Cell::lstm) Kokkos::deep_copy(space, of_rows(cell_delta_, rows), T(0));
  for (std::size_t t = shape_.steps; t-- > 0;) {
    if (shape_.all_steps || t == last)
      kernels::take_columns<Device, T>(space, delta, shape_.all_steps ? t * shape_.hidden : 0, t < last,
                                       of_rows(delta_, rows));
    back_from(t, parameters, cuts, rows);
  }
  if (input_delta.data() != nullptr)
    inputs_backward_.multiply(of_steps(gate_delta_, 0, rows), input_weights(parameters), step_cuts(cuts),
                              steps_of(input_delta));
}

template <class T>
std::vector<GradientPart> Recurrent<T>::parts(const BatchOf<T>&) const {
  return {{0, state_weights_at()}, {state_weights_at(), shape_.hidden * width()}, {bias_at(), width()}};
}

template <class T>
void Recurrent<T>::add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix&,
                                std::size_t first, std::size_t count, const Vector& gradient) {
  const Device space;
  if (part.offset == bias_at()) {
    kernels::column_sums<Device, T>(space, of_steps(gate_delta_, first, count), bias_sums_);
    kernels::add<Device, T>(space, bias_sums_, gradient);
    return;
  }
  const bool of_state = part.offset == state_weights_at();
  const Matrix inputs = of_state ? memory_.before : steps_of(input.features);
  kernels::add_product_of_columns<Device, T>(
      space, of_steps(inputs, first, count), 0, inputs.extent(1),
      of_steps(of_state ? state_delta() : gate_delta_, first, count),
      kernels::matrix_of<Device, T>(gradient, 0, inputs.extent(1), width()));
}

template <class T>
bool Recurrent<T>::fold_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix&,
                                 const Pieces& pieces, std::span<const Vector> sums) {
  if (part.offset == bias_at()) return false;
  const bool of_state = part.offset == state_weights_at();
  const Matrix inputs = of_state ? memory_.before : steps_of(input.features);
  return fold_weight_gradient<T>(inputs, 0, inputs.extent(1), of_state ? state_delta() : gate_delta_,
                                 {step_cuts(pieces.cuts), pieces.first_leaf}, sums);
}

template class Recurrent<double>;
template class Recurrent<float>;

}  // namespace kernmill::tasks
