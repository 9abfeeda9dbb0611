#include "kernmill/tasks/models/network/recurrent.hpp"

#include <cmath>

#include <fmt/format.h>

#include "kernmill/kernels/random.hpp"

namespace kernmill::tasks {

using kernels::Device;

template <class T>
Recurrent<T>::Recurrent(const SequenceShape& shape, std::size_t number, kernels::Multiply how)
    : Layer<T>(shape.inputs(), shape.outputs()),
      shape_(shape),
      number_(number),
      units_(shape, shape.hidden, how) {}

template <class T>
std::vector<ParameterTensor> Recurrent<T>::tensors() const {
  const std::uint64_t width = units_.width();
  return {{fmt::format("layer_{}_input_weights", number_), {shape_.columns, width}, 0, true},
          {fmt::format("layer_{}_state_weights", number_),
           {shape_.hidden, width},
           units_.state_weights_at(),
           true},
          {fmt::format("layer_{}_bias", number_), {width}, units_.bias_at(), false}};
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
  memory_ = units_.make_memory(rows);
  for (Matrix* matrix : {&state_, &delta_, &more_delta_})
    *matrix = kernels::make_matrix<Device, T>(rows, shape_.hidden);
}

template <class T>
void Recurrent<T>::forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass&,
                           const Matrix& output) {
  reserve(input.rows());
  const Matrix state = kernels::rows_of<Device, T>(state_, 0, input.rows());
  units_.take_inputs(parameters, input.features, cuts, memory_);
  for (std::size_t t = 0; t < shape_.steps; ++t) {
    const bool given = shape_.all_steps || t + 1 == shape_.steps;
    units_.step(t, parameters, state, cuts, memory_,
                {state, given ? output : Matrix(), shape_.all_steps ? t * shape_.hidden : 0});
  }
}

template <class T>
void Recurrent<T>::backward(const Vector& parameters, const BatchOf<T>& input, const Matrix&, Cuts cuts,
                            const Matrix& delta, const Matrix& input_delta) {
  const std::size_t rows = input.rows(), last = shape_.steps - 1;
  const bool is_gru = shape_.cell == Cell::gru;
  const Matrix of_step = kernels::rows_of<Device, T>(delta_, 0, rows),
               more = kernels::rows_of<Device, T>(more_delta_, 0, rows);
  units_.begin_back(rows);
  for (std::size_t t = shape_.steps; t-- > 0;) {
    if (shape_.all_steps || t == last)
      kernels::take_columns<Device, T>(Device(), delta, shape_.all_steps ? t * shape_.hidden : 0, t < last,
                                       of_step);
    units_.step_back(t, memory_, of_step);
    if (t == 0) continue;
    units_.give_to_state(parameters, cuts, is_gru ? more : of_step);
    if (is_gru) kernels::take_columns<Device, T>(Device(), more, 0, true, of_step);
  }
  if (input_delta.data() != nullptr) units_.give_to_inputs(parameters, cuts, input_delta);
}

template <class T>
void Recurrent<T>::add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix&,
                                std::size_t first, std::size_t count, const Vector& gradient) {
  units_.add_gradient(part, input.features, memory_.before, first, count, gradient);
}

template <class T>
bool Recurrent<T>::fold_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix&,
                                 const Pieces& pieces, std::span<const Vector> sums) {
  return units_.fold_gradient(part, input.features, memory_.before, pieces, sums);
}

template class Recurrent<double>;
template class Recurrent<float>;

}  // namespace kernmill::tasks
