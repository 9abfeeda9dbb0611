#pragma once
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "kernmill/kernels/activation.hpp"
#include "kernmill/kernels/gemm.hpp"
#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// Products in which pieces of rows have the bits that they have alone. On the host all rows go together
/// (multiply_rows). On a device they do where that gives the same: BLAS takes other loops for other shapes,
/// and not all of them give a row the same bits. Which loops it takes is a matter of the shape alone, so one
/// product of random numbers, made by both ways, tells.
template <class T>
class RowsTogether {
 public:
  using Vector = kernels::Vector<kernels::Device, T>;
  using Matrix = kernels::Matrix<kernels::Device, T>;
  /// op(b) is inner x columns.
  RowsTogether(kernels::Transpose transpose, std::size_t inner, std::size_t columns,
               kernels::Multiply how = kernels::Multiply::fast)
      : transpose_(transpose), inner_(inner), columns_(columns), how_(how) {}
  /// c = a op(b). `cuts` are the pieces of a's rows.
  void multiply(const Matrix& a, const Matrix& b, Cuts cuts, const Matrix& c);
  /// c = f(a op(b) + bias), but for gelu, which is the identity here.
  void multiply_and_activate(const Matrix& a, const Matrix& b, Cuts cuts, kernels::Activation activation,
                             const Vector& bias, const Matrix& c);
  /// c = a op(b) times the slope of f where that gave `activated`, likewise.
  void multiply_and_undo(const Matrix& a, const Matrix& b, Cuts cuts, kernels::Activation activation,
                         const Matrix& activated, const Matrix& c);

 private:
  bool multiply_on_host(const Matrix& a, const Matrix& b, const Matrix& c, const Vector& bias = {},
                        bool rectifies = false, const Matrix& rectified = {}) const;
  [[nodiscard]] bool may(std::size_t rows, std::size_t piece);
  void by_pieces(const Matrix& a, const Matrix& b, Cuts cuts, const Matrix& c) const;

  kernels::Transpose transpose_;
  std::size_t inner_, columns_;
  kernels::Multiply how_;
  std::map<std::pair<std::size_t, std::size_t>, bool> known_;  ///< by rows and rows of a piece
};

// What fully connected layers do, whole ones and slices of one, compiled for each level of the processor.

/// output = f(output + bias), in place.
template <class T>
void activate(kernels::Activation activation, const kernels::Vector<kernels::Device, T>& bias,
              const kernels::Matrix<kernels::Device, T>& output);
/// delta *= f'(...), by the activated output, in place.
template <class T>
void undo_activation(kernels::Activation activation, const kernels::Matrix<kernels::Device, T>& output,
                     const kernels::Matrix<kernels::Device, T>& delta);
/// Adds the sums of delta's columns to the gradient; `sums` is memory for them.
template <class T>
void add_bias_gradient(const kernels::Matrix<kernels::Device, T>& delta,
                       const kernels::Vector<kernels::Device, T>& sums,
                       const kernels::Vector<kernels::Device, T>& gradient);
/// The gradient of weights, the whole subtrees' sums of the pieces of `delta`: of `inputs` columns of `input`
/// from `first_input` on. False where kernels do not fold products.
template <class T>
bool fold_weight_gradient(const kernels::Matrix<kernels::Device, T>& input, std::size_t first_input,
                          std::size_t inputs, const kernels::Matrix<kernels::Device, T>& delta,
                          const Pieces& pieces, std::span<const kernels::Vector<kernels::Device, T>> sums,
                          kernels::Multiply how = kernels::Multiply::fast);

/// f(x W + b), fully connected. W is inputs x outputs, b behind it.
template <class T>
class Dense : public Layer<T> {
 public:
  using typename Layer<T>::Vector;
  using typename Layer<T>::Matrix;

  /// `number` is what a model file calls it by, `how` how it multiplies.
  Dense(std::uint64_t inputs, std::uint64_t outputs, kernels::Activation activation, std::size_t number,
        kernels::Multiply how = kernels::Multiply::fast);

  /// Its inputs are what `before` gives, as they are. This layer multiplies by the slope of that one's
  /// activation, too, which is then not undone there.
  void follow(Dense& before);

  [[nodiscard]] std::vector<ParameterTensor> tensors() const override;
  /// Glorot's uniform weights (+- sqrt(6 / (inputs + outputs))), keyed by seed, layer and index; zero biases.
  void start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const override;
  void forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass& pass,
               const Matrix& output) override;
  void backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                const Matrix& delta, const Matrix& input_delta) override;
  [[nodiscard]] std::vector<GradientPart> parts(const BatchOf<T>& input) const override;
  void add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;
  bool fold_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta,
                     const Pieces& pieces, std::span<const Vector> sums) override;

 private:
  [[nodiscard]] std::size_t gradient_inputs(const BatchOf<T>& input) const;
  [[nodiscard]] Matrix weights(const Vector& parameters) const;
  void add_weight_gradient(const BatchOf<T>& rows, const Matrix& delta, const Matrix& gradient);

  kernels::Activation activation_, before_ = kernels::Activation::identity;
  bool is_followed_ = false;
  std::size_t number_;
  kernels::Multiply how_;
  RowsTogether<T> forward_, backward_;
  Vector bias_sums_;
};

}  // namespace kernmill::tasks
