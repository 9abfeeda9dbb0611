#include "kernmill/tasks/learn/parallel/sliced_dense.hpp"

#include "kernmill/kernels/product_fold.hpp"
#include "kernmill/kernels/sparse.hpp"

namespace kernmill::tasks {

using kernels::Device;
using kernels::Transpose;

template <class T>
SlicedDense<T>::SlicedDense(const LayerCut& shape, kernels::Activation activation, TensorGroup<T>& group,
                            kernels::Multiply how)
    : shape_(shape),
      activation_(activation),
      group_(group),
      how_(how),
      forward_(Transpose::no, shape.slice_inputs(), shape.slice_outputs(), how),
      backward_(Transpose::yes, shape.slice_outputs(), shape.slice_inputs(), how),
      bias_sums_(kernels::make_vector<Device, T>(shape.slice_outputs())) {}

template <class T>
Sliced<T> SlicedDense<T>::make_output(std::size_t rows) const {
  return make_sliced<T>(shape_.cut == Cut::outputs ? shape_.slices : 1, rows, shape_.slice_outputs());
}

template <class T>
typename SlicedDense<T>::Matrix SlicedDense<T>::weights(const Vector& parameters, std::size_t slice) const {
  const std::size_t inputs = shape_.slice_inputs(), outputs = shape_.slice_outputs();
  return kernels::matrix_of<Device, T>(parameters, slice * inputs * outputs, inputs, outputs);
}

template <class T>
Sliced<T> SlicedDense<T>::scratch(std::size_t rows, std::size_t width) {
  return sliced_in<T>(memory_, shape_.slices, rows, width);
}

template <class T>
Sliced<T> SlicedDense<T>::own_columns(const Matrix& input) {
  const std::size_t width = shape_.slice_inputs();
  Sliced<T> own = sliced_in<T>(columns_, shape_.slices, input.extent(0), width);
  for (std::size_t i = 0; i < own.size(); ++i)
    copy_columns<T>(input, (shape_.first_slice + i) * width, own[i]);
  return own;
}

template <class T>
void SlicedDense<T>::multiply(std::size_t slice, const Vector& parameters, const LayerRows<T>& rows,
                              const Matrix& input, const Matrix& output) {
  if (rows.sparse == nullptr) return forward_.multiply(input, weights(parameters, slice), rows.cuts, output);
  kernels::multiply<Device, T>(Device(), rows.sparse->sparse, weights(parameters, slice), output,
                               is_alone() ? feature_blocks(shape_)[slice].first : kernels::all_columns);
}

template <class T>
void SlicedDense<T>::forward(const Vector& parameters, const LayerRows<T>& rows) {
  const Sliced<T>&input = rows.input, &output = rows.output;
  if (shape_.cut == Cut::inputs) {
    const bool takes_columns = is_alone() && rows.sparse == nullptr;
    const Sliced<T> own = takes_columns ? own_columns(input[0]) : input;
    const Sliced<T> sums = scratch(output[0].extent(0), shape_.outputs);
    for (std::size_t i = 0; i < sums.size(); ++i)
      multiply(i, parameters, rows, own[rows.sparse == nullptr ? i : 0], sums[i]);
    fold_slices<T>(sums);
    group_.sum(sums[0]);
    Kokkos::deep_copy(Device(), output[0], sums[0]);
  } else {
    for (std::size_t i = 0; i < output.size(); ++i) multiply(i, parameters, rows, input[0], output[i]);
  }
  const std::size_t width = shape_.slice_outputs();
  for (std::size_t i = 0; i < output.size(); ++i)
    activate<T>(activation_, kernels::part_of<Device, T>(parameters, shape_.weights() + i * width, width),
                output[i]);
}

template <class T>
void SlicedDense<T>::backward(const Vector& parameters, const LayerRows<T>& rows, const Sliced<T>& delta,
                              const Sliced<T>& input_delta) {
  for (std::size_t i = 0; i < delta.size(); ++i) undo_activation<T>(activation_, rows.output[i], delta[i]);
  if (input_delta.empty()) return;
  const bool is_direct = shape_.cut == Cut::none || (shape_.cut == Cut::inputs && !is_alone());
  const Sliced<T> sums = is_direct ? input_delta : scratch(delta[0].extent(0), shape_.slice_inputs());
  for (std::size_t i = 0; i < sums.size(); ++i)
    backward_.multiply(delta[shape_.cut == Cut::outputs ? i : 0], weights(parameters, i), rows.cuts, sums[i]);
  if (is_alone()) return group_.beside(sums, input_delta[0]);
  if (is_direct) return;
  fold_slices<T>(sums);
  group_.sum(sums[0]);
  Kokkos::deep_copy(Device(), input_delta[0], sums[0]);
}

template <class T>
storage::IndexRange SlicedDense<T>::compact_features(std::size_t slice, const BatchOf<T>& sparse) const {
  return feature_blocks(shape_)[slice].among(sparse.gradient_features);
}

template <class T>
std::vector<typename SlicedDense<T>::Part> SlicedDense<T>::parts(const LayerRows<T>& rows) const {
  const std::size_t outputs = shape_.slice_outputs();
  std::size_t at = 0;
  std::vector<Part> parts;
  for (std::size_t slice = 0; slice < shape_.slices; ++slice) {
    const std::size_t inputs =
        rows.sparse == nullptr ? shape_.slice_inputs() : compact_features(slice, *rows.sparse).count();
    if (inputs > 0) parts.push_back({{at, inputs * outputs}, slice});
    at += inputs * outputs;
  }
  for (std::size_t slice = 0; slice * outputs < shape_.biases(); ++slice)
    parts.push_back({{at + slice * outputs, outputs}, slice, true});
  return parts;
}

template <class T>
typename SlicedDense<T>::PartInput SlicedDense<T>::input_of(const Part& part, const Sliced<T>& input) const {
  return {input[shape_.input_is_whole ? 0 : part.slice],
          is_alone() ? (shape_.first_slice + part.slice) * shape_.slice_inputs() : 0};
}

template <class T>
typename SlicedDense<T>::Matrix SlicedDense<T>::delta_of(const Part& part, const Sliced<T>& delta) const {
  return delta[shape_.cut == Cut::outputs ? part.slice : 0];
}

template <class T>
void SlicedDense<T>::add_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta,
                                  std::size_t first, std::size_t count, const Vector& gradient) {
  const Matrix rows_delta = kernels::rows_of<Device, T>(delta_of(part, delta), first, count);
  if (part.is_bias) {
    add_bias_gradient<T>(rows_delta, bias_sums_, gradient);
    return;
  }
  if (rows.sparse != nullptr) {
    const storage::IndexRange own = compact_features(part.slice, *rows.sparse);
    kernels::add_transposed_product<Device, T>(
        Device(), kernels::rows_of(rows.sparse->compact, first, count), rows_delta,
        kernels::matrix_of<Device, T>(gradient, 0, own.count(), shape_.slice_outputs()), 0, false, own.begin);
    return;
  }
  const PartInput of = input_of(part, rows.input);
  kernels::add_product_of_columns<Device, T>(
      Device(), kernels::rows_of<Device, T>(of.rows, first, count), of.first, shape_.slice_inputs(),
      rows_delta, kernels::matrix_of<Device, T>(gradient, 0, shape_.slice_inputs(), shape_.slice_outputs()),
      how_);
}

template <class T>
bool SlicedDense<T>::fold_gradient(const Part& part, const LayerRows<T>& rows, const Sliced<T>& delta,
                                   const Pieces& pieces, std::span<const Vector> sums) {
  if (part.is_bias || rows.sparse != nullptr) return false;
  const PartInput of = input_of(part, rows.input);
  return fold_weight_gradient<T>(of.rows, of.first, shape_.slice_inputs(), delta_of(part, delta), pieces,
                                 sums, how_);
}

template class SlicedDense<double>;
template class SlicedDense<float>;

}  // namespace kernmill::tasks
