#include "kernmill/tasks/learn/parallel/sliced_recurrent.hpp"

namespace kernmill::tasks {

using kernels::Device;

namespace {

constexpr std::size_t matrices_of_memory = 3;

}  // namespace

template <class T>
SlicedRecurrent<T>::SlicedRecurrent(const LayerCut& cut, TensorGroup<T>& group, kernels::Multiply how)
    : cut_(cut), group_(group) {
  for (std::size_t i = 0; i < cut.slices; ++i) units_.emplace_back(shape(), cut.slice_units(), how);
}

template <class T>
Sliced<T> SlicedRecurrent<T>::make_output(std::size_t rows) const {
  return make_sliced<T>(cut_.output_is_whole() ? 1 : cut_.slices, rows, cut_.slice_outputs());
}

template <class T>
Sliced<T> SlicedRecurrent<T>::make_memory(std::size_t rows) const {
  Sliced<T> all;
  for (const auto& units : units_) {
    const Memory memory = units.make_memory(rows);
    all.insert(all.end(), {memory.gates, memory.before, memory.kept});
  }
  all.push_back(is_cut() ? kernels::make_matrix<Device, T>(rows * shape().steps, shape().hidden) : all[1]);
  return all;
}

template <class T>
typename SlicedRecurrent<T>::Memory SlicedRecurrent<T>::memory_of(const LayerRows<T>& rows,
                                                                  std::size_t slice) const {
  const std::size_t at = slice * matrices_of_memory;
  return {shape().steps, rows.memory[at], rows.memory[at + 1], rows.memory[at + 2]};
}

template <class T>
typename SlicedRecurrent<T>::Vector SlicedRecurrent<T>::of_slice(const Vector& parameters,
                                                                 std::size_t slice) const {
  const std::size_t count = units_[slice].parameters();
  return kernels::part_of<Device, T>(parameters, slice * count, count);
}

template <class T>
typename SlicedRecurrent<T>::Matrix SlicedRecurrent<T>::total(const Sliced<T>& of_slices) {
  fold_slices<T>(of_slices);
  group_.sum(of_slices[0]);
  return of_slices[0];
}

/// The state behind step t: to the next step, and to the layer behind this one.
template <class T>
void SlicedRecurrent<T>::gather(std::size_t t, const Sliced<T>& own, const LayerRows<T>& rows) {
  const std::size_t hidden = shape().hidden, steps = shape().steps, count = rows.input[0].extent(0);
  const bool goes_on = t + 1 < steps;
  if (!goes_on && !shape().all_steps) {
    for (std::size_t i = 0; i < own.size(); ++i) Kokkos::deep_copy(Device(), rows.output[i], own[i]);
    return;
  }
  const Matrix state = sliced_in<T>(state_, 1, count, hidden)[0];
  is_cut() ? group_.beside(own, state) : Kokkos::deep_copy(Device(), state, own[0]);
  if (shape().all_steps) put_columns<T>(state, t * hidden, rows.output[0]);
  if (is_cut() && goes_on)
    put_columns<T>(state, (t + 1) * hidden, Matrix(rows.memory.back().data(), count, steps * hidden));
}

template <class T>
void SlicedRecurrent<T>::forward(const Vector& parameters, const LayerRows<T>& rows) {
  const std::size_t count = rows.input[0].extent(0);
  const Matrix state = sliced_in<T>(state_, 1, count, shape().hidden)[0];
  const Sliced<T> own = sliced_in<T>(own_states_, units_.size(), count, cut_.slice_units());
  for (std::size_t i = 0; i < units_.size(); ++i)
    units_[i].take_inputs(of_slice(parameters, i), rows.input[0], rows.cuts, memory_of(rows, i));
  Kokkos::deep_copy(Device(), state, T(0));
  if (is_cut())
    put_columns<T>(state, 0, Matrix(rows.memory.back().data(), count, shape().steps * shape().hidden));
  for (std::size_t t = 0; t < shape().steps; ++t) {
    for (std::size_t i = 0; i < units_.size(); ++i)
      units_[i].step(t, of_slice(parameters, i), state, rows.cuts, memory_of(rows, i), {own[i], Matrix()});
    gather(t, own, rows);
  }
}

/// Of each slice: in place of the gradient by its state behind step t, that by its state in front of it.
template <class T>
void SlicedRecurrent<T>::step_back(std::size_t t, const Vector& parameters, const LayerRows<T>& rows,
                                   const Sliced<T>& of_step) {
  for (std::size_t i = 0; i < units_.size(); ++i) units_[i].step_back(t, memory_of(rows, i), of_step[i]);
  if (t == 0) return;
  const Sliced<T> given = sliced_in<T>(given_, units_.size(), of_step[0].extent(0), shape().hidden);
  for (std::size_t i = 0; i < units_.size(); ++i)
    units_[i].give_to_state(of_slice(parameters, i), rows.cuts, given[i]);
  const Matrix all = total(given);
  for (std::size_t i = 0; i < units_.size(); ++i)
    kernels::take_columns<Device, T>(Device(), all, first_unit(i), shape().cell == Cell::gru, of_step[i]);
}

template <class T>
void SlicedRecurrent<T>::backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                                  const Sliced<T>& input_delta) {
  const std::size_t count = rows.input[0].extent(0), last = shape().steps - 1;
  const Sliced<T> of_step = sliced_in<T>(deltas_, units_.size(), count, cut_.slice_units());
  for (auto& units : units_) units.begin_back(count);
  for (std::size_t t = shape().steps; t-- > 0;) {
    for (std::size_t i = 0; i < units_.size() && (shape().all_steps || t == last); ++i)
      kernels::take_columns<Device, T>(Device(), delta[cut_.output_is_whole() ? 0 : i],
                                       shape().all_steps ? t * shape().hidden + first_unit(i) : 0, t < last,
                                       of_step[i]);
    step_back(t, parameters, rows, of_step);
  }
  if (input_delta.empty()) return;
  const Sliced<T> given = sliced_in<T>(given_, units_.size(), count, cut_.inputs);
  for (std::size_t i = 0; i < units_.size(); ++i)
    units_[i].give_to_inputs(of_slice(parameters, i), rows.cuts, given[i]);
  Kokkos::deep_copy(Device(), input_delta[0], total(given));
}

template <class T>
std::vector<typename SlicedRecurrent<T>::Part> SlicedRecurrent<T>::parts(const LayerRows<T>&) const {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < units_.size(); ++i)
    for (GradientPart part : units_[i].parts()) {
      part.offset += i * units_[i].parameters();
      parts.push_back({part, i});
    }
  return parts;
}

/// A part as its slice's units know it.
template <class T>
GradientPart SlicedRecurrent<T>::units_part(const Part& part) const {
  return {part.place.offset - part.slice * units_[part.slice].parameters(), part.place.size};
}

template <class T>
void SlicedRecurrent<T>::add_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>&,
                                      std::size_t first, std::size_t count, const Vector& gradient) {
  units_[part.slice].add_gradient(units_part(part), rows.input[0], rows.memory.back(), first, count,
                                  gradient);
}

template <class T>
bool SlicedRecurrent<T>::fold_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>&,
                                       const Pieces& pieces, std::span<const Vector> sums) {
  return units_[part.slice].fold_gradient(units_part(part), rows.input[0], rows.memory.back(), pieces, sums);
}

template class SlicedRecurrent<double>;
template class SlicedRecurrent<float>;

}  // namespace kernmill::tasks
