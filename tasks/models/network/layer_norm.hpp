#pragma once
#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// Normalises each row of its inputs (kernels::layer_norm); a gain and a shift of each unit, which begin as 1
/// and 0, and are no weights: nothing penalizes them.
template <class T>
class LayerNorm : public Layer<T> {
 public:
  using typename Layer<T>::Vector;
  using typename Layer<T>::Matrix;

  LayerNorm(std::uint64_t width, std::size_t number) : Layer<T>(width, width), number_(number) {}

  [[nodiscard]] std::vector<ParameterTensor> tensors() const override;
  void start(std::uint64_t seed, std::uint64_t number, std::span<double> parameters) const override;
  void forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass& pass,
               const Matrix& output) override;
  void backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                const Matrix& delta, const Matrix& input_delta) override;
  [[nodiscard]] std::vector<GradientPart> parts(const BatchOf<T>& input) const override;
  void add_gradient(const GradientPart& part, const BatchOf<T>& input, const Matrix& delta, std::size_t first,
                    std::size_t count, const Vector& gradient) override;

 private:
  std::size_t number_;
  Matrix moments_;  ///< of the last pass: each row's mean, and what it was divided by
};

}  // namespace kernmill::tasks
