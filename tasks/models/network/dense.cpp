#include "kernmill/tasks/models/network/dense.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "kernmill/kernels/for_each.hpp"
#include "kernmill/kernels/product_fold.hpp"
#include "kernmill/kernels/random.hpp"
#include "kernmill/kernels/reduce.hpp"

namespace kernmill::tasks {

using kernels::Activation;
using kernels::Device;
using kernels::Transpose;

namespace {

template <class T>
kernels::Matrix<Device, T> random_matrix(std::size_t rows, std::size_t columns, std::uint64_t stream) {
  const auto values = kernels::make_vector<Device>(rows * columns);
  kernels::fill_uniform<Device>(Device(), 1, stream, 1.0, values);
  auto out = kernels::make_matrix<Device, T>(rows, columns);
  kernels::convert<Device, double, T>(Device(), values,
                                      kernels::Vector<Device, T>(out.data(), rows * columns));
  return out;
}

template <class T>
bool have_the_same_bits(const kernels::Matrix<Device, T>& a, const kernels::Matrix<Device, T>& b) {
  const auto left = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), a);
  const auto right = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), b);
  return std::memcmp(left.data(), right.data(), left.size() * sizeof(T)) == 0;
}

}  // namespace

template <class T>
void RowsTogether<T>::by_pieces(const Matrix& a, const Matrix& b, Cuts cuts, const Matrix& c) const {
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::size_t first = cuts[i], count = cuts[i + 1] - first;
    kernels::gemm<Device, T>(Device(), Transpose::no, transpose_, 1,
                             kernels::rows_of<Device, T>(a, first, count), b, 0,
                             kernels::rows_of<Device, T>(c, first, count), how_);
  }
}

template <class T>
bool RowsTogether<T>::may(std::size_t rows, std::size_t piece) {
  const auto [at, is_new] = known_.try_emplace({rows, piece}, false);
  if (!is_new) return at->second;
  const bool flipped = transpose_ == Transpose::yes;
  const auto a = random_matrix<T>(rows, inner_, 1);
  const auto b = random_matrix<T>(flipped ? columns_ : inner_, flipped ? inner_ : columns_, 2);
  const auto together = kernels::make_matrix<Device, T>(rows, columns_);
  const auto alone = kernels::make_matrix<Device, T>(rows, columns_);
  std::vector<std::size_t> cuts;
  for (std::size_t row = 0; row <= rows; row += piece) cuts.push_back(row);
  by_pieces(a, b, cuts, alone);
  kernels::gemm<Device, T>(Device(), Transpose::no, transpose_, 1, a, b, 0, together, how_);
  return at->second = have_the_same_bits<T>(together, alone);
}

/// On the host, where all rows go together.
template <class T>
bool RowsTogether<T>::multiply_on_host(const Matrix& a, const Matrix& b, const Matrix& c, const Vector& bias,
                                       bool rectifies, const Matrix& rectified) const {
  if constexpr (kernels::folds_products<Device>) {
    Device().fence();
    kernels::multiply_rows<T>(kernels::factor<Device, T>(Device(), how_, a), transpose_,
                              kernels::factor<Device, T>(Device(), how_, b), c, {bias, rectifies, rectified});
    return true;
  }
  return false;
}

template <class T>
void RowsTogether<T>::multiply(const Matrix& a, const Matrix& b, Cuts cuts, const Matrix& c) {
  if (multiply_on_host(a, b, c)) return;
  constexpr std::size_t worthwhile = 1U << 14U;  // weights that a core's nearest cache has not room for
  const std::size_t pieces = cuts.size() - 1, piece = cuts[1] - cuts[0];
  bool are_equal = pieces > 1 && inner_ * columns_ >= worthwhile;
  for (std::size_t i = 0; i < pieces && are_equal; ++i) are_equal = cuts[i + 1] - cuts[i] == piece;
  if (are_equal && may(a.extent(0), piece)) {
    kernels::gemm<Device, T>(Device(), Transpose::no, transpose_, 1, a, b, 0, c, how_);
  } else {
    by_pieces(a, b, cuts, c);
  }
}

template <class T>
KERNMILL_PROCESSOR_LEVELS void activate(Activation activation, const kernels::Vector<Device, T>& bias,
                                        const kernels::Matrix<Device, T>& output) {
  kernels::add_bias_and_activate<Device, T>(Device(), activation, bias, output);
}

template <class T>
KERNMILL_PROCESSOR_LEVELS void undo_activation(Activation activation,
                                               const kernels::Matrix<Device, T>& output,
                                               const kernels::Matrix<Device, T>& delta) {
  kernels::backward_activation<Device, T>(Device(), activation, output, delta);
}

template <class T>
void RowsTogether<T>::multiply_and_activate(const Matrix& a, const Matrix& b, Cuts cuts,
                                            Activation activation, const Vector& bias, const Matrix& c) {
  if (activation != Activation::tanh && multiply_on_host(a, b, c, bias, activation == Activation::relu))
    return;
  multiply(a, b, cuts, c);
  activate<T>(activation, bias, c);
}

template <class T>
void RowsTogether<T>::multiply_and_undo(const Matrix& a, const Matrix& b, Cuts cuts, Activation activation,
                                        const Matrix& activated, const Matrix& c) {
  if (activation == Activation::relu && multiply_on_host(a, b, c, {}, false, activated)) return;
  multiply(a, b, cuts, c);
  undo_activation<T>(activation, activated, c);
}

template <class T>
KERNMILL_PROCESSOR_LEVELS void add_bias_gradient(const kernels::Matrix<Device, T>& delta,
                                                 const kernels::Vector<Device, T>& sums,
                                                 const kernels::Vector<Device, T>& gradient) {
  kernels::column_sums<Device, T>(Device(), delta, sums);
  kernels::add<Device, T>(Device(), sums, gradient);
}

template <class T>
bool fold_weight_gradient(const kernels::Matrix<Device, T>& input, std::size_t first_input,
                          std::size_t inputs, const kernels::Matrix<Device, T>& delta, const Pieces& pieces,
                          std::span<const kernels::Vector<Device, T>> sums, kernels::Multiply how) {
  if constexpr (kernels::folds_products<Device>) {
    std::vector<T*> out;
    for (const auto& sum : sums) out.push_back(sum.data());
    kernels::fold_products<T>(kernels::factor<Device, T>(Device(), how, input), first_input, inputs,
                              kernels::factor<Device, T>(Device(), how, delta), pieces.cuts,
                              pieces.first_leaf, out);
    return true;
  }
  return false;
}

#define KERNMILL_INSTANTIATE(T)                                                                            \
  template void activate<T>(Activation, const kernels::Vector<Device, T>&,                                 \
                            const kernels::Matrix<Device, T>&);                                            \
  template void undo_activation<T>(Activation, const kernels::Matrix<Device, T>&,                          \
                                   const kernels::Matrix<Device, T>&);                                     \
  template void add_bias_gradient<T>(const kernels::Matrix<Device, T>&, const kernels::Vector<Device, T>&, \
                                     const kernels::Vector<Device, T>&);
KERNMILL_INSTANTIATE(double)
KERNMILL_INSTANTIATE(float)
#undef KERNMILL_INSTANTIATE
template bool fold_weight_gradient<double>(const kernels::Matrix<Device>&, std::size_t, std::size_t,
                                           const kernels::Matrix<Device>&, const Pieces&,
                                           std::span<const kernels::Vector<Device>>, kernels::Multiply);
template bool fold_weight_gradient<float>(const kernels::Matrix<Device, float>&, std::size_t, std::size_t,
                                          const kernels::Matrix<Device, float>&, const Pieces&,
                                          std::span<const kernels::Vector<Device, float>>, kernels::Multiply);

template <class T>
Dense<T>::Dense(std::uint64_t inputs, std::uint64_t outputs, Activation activation, std::size_t number,
                kernels::Multiply how)
    : Layer<T>(inputs, outputs),
      activation_(activation),
      number_(number),
      how_(how),
      forward_(Transpose::no, inputs, outputs, how),
      backward_(Transpose::yes, outputs, inputs, how),
      bias_sums_(kernels::make_vector<Device, T>(outputs)) {}

template <class T>
void Dense<T>::follow(Dense& before) {
  before_ = before.activation_;
  before.is_followed_ = true;
}

template <class T>
std::vector<ParameterTensor> Dense<T>::tensors() const {
  return {
      {fmt::format("layer_{}_weights", number_), {this->inputs(), this->outputs()}, 0, true},
      {fmt::format("layer_{}_bias", number_), {this->outputs()}, this->inputs() * this->outputs(), false}};
}

template <class T>
void Dense<T>::start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const {
  const std::size_t weights = this->inputs() * this->outputs();
  const double bound = std::sqrt(6.0 / static_cast<double>(this->inputs() + this->outputs()));
  kernels::fill_uniform<kernels::Host>(kernels::Host(), seed, number, bound,
                                       kernels::host_vector(parameters.data(), weights));
  kernels::Host().fence();
  std::fill(parameters.begin() + static_cast<std::ptrdiff_t>(weights), parameters.end(), 0.0);
}

template <class T>
typename Dense<T>::Matrix Dense<T>::weights(const Vector& parameters) const {
  return kernels::matrix_of<Device, T>(parameters, 0, this->inputs(), this->outputs());
}

template <class T>
void Dense<T>::forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass&,
                       const Matrix& output) {
  const Vector bias =
      kernels::part_of<Device, T>(parameters, this->inputs() * this->outputs(), this->outputs());
  if (input.is_sparse()) {
    kernels::multiply<Device, T>(Device(), input.sparse, weights(parameters), output);
    activate<T>(activation_, bias, output);
  } else {
    forward_.multiply_and_activate(input.features, weights(parameters), cuts, activation_, bias, output);
  }
}

template <class T>
void Dense<T>::backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                        const Matrix& delta, const Matrix& input_delta) {
  if (!is_followed_) undo_activation<T>(activation_, output, delta);
  if (input_delta.data() != nullptr)
    backward_.multiply_and_undo(delta, weights(parameters), cuts, before_, input.features, input_delta);
}

template <class T>
std::size_t Dense<T>::gradient_inputs(const BatchOf<T>& input) const {
  return input.is_compact() ? input.gradient_features.size() : this->inputs();
}

template <class T>
std::vector<GradientPart> Dense<T>::parts(const BatchOf<T>& input) const {
  const std::size_t weights = gradient_inputs(input) * this->outputs();
  std::vector<GradientPart> parts{{weights, this->outputs()}};
  if (weights > 0) parts.insert(parts.begin(), {0, weights});
  return parts;
}

template <class T>
void Dense<T>::add_weight_gradient(const BatchOf<T>& rows, const Matrix& delta, const Matrix& gradient) {
  const Device space;
  if (rows.is_sparse()) {
    kernels::add_transposed_product<Device, T>(space, rows.is_compact() ? rows.compact : rows.sparse, delta,
                                               gradient);
  } else {
    kernels::add_product_of_columns<Device, T>(space, rows.features, 0, this->inputs(), delta, gradient,
                                               how_);
  }
}

template <class T>
void Dense<T>::add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta,
                            std::size_t first, std::size_t count, const Vector& gradient) {
  const Matrix rows_delta = kernels::rows_of<Device, T>(delta, first, count);
  if (part.offset == gradient_inputs(input) * this->outputs()) {
    add_bias_gradient<T>(rows_delta, bias_sums_, gradient);
    return;
  }
  add_weight_gradient(
      part_of(input, first, count), rows_delta,
      kernels::matrix_of<Device, T>(gradient, 0, part.size / this->outputs(), this->outputs()));
}

template <class T>
bool Dense<T>::fold_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta,
                             const Pieces& pieces, std::span<const Vector> sums) {
  if (input.is_sparse() || part.offset > 0) return false;
  return fold_weight_gradient<T>(input.features, 0, this->inputs(), delta, pieces, sums, how_);
}

template class RowsTogether<double>;
template class RowsTogether<float>;
template class Dense<double>;
template class Dense<float>;

}  // namespace kernmill::tasks
