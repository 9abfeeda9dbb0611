#pragma once
#include "kernmill/kernels/activation.hpp"
#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// f of each input: an activation that is no part of the layer in front of it, since its slope is not told by
/// its value (gelu), or something comes in between (layer normalisation).
template <class T>
class Activate : public Layer<T> {
 public:
  using typename Layer<T>::Vector;
  using typename Layer<T>::Matrix;

  Activate(std::uint64_t width, kernels::Activation activation)
      : Layer<T>(width, width), activation_(activation) {}

  [[nodiscard]] std::vector<ParameterTensor> tensors() const override { return {}; }
  void start(std::uint64_t, std::uint64_t, std::span<double>) const override {}
  void forward(const Vector& parameters, const BatchOf<T>& input, Cuts cuts, const Pass& pass,
               const Matrix& output) override;
  void backward(const Vector& parameters, const BatchOf<T>& input, const Matrix& output, Cuts cuts,
                const Matrix& delta, const Matrix& input_delta) override;
  [[nodiscard]] std::vector<GradientPart> parts(const BatchOf<T>&) const override { return {}; }
  void add_gradient(const GradientPart&, const BatchOf<T>&, const Matrix&, std::size_t, std::size_t,
                    const Vector&) override {}

 private:
  kernels::Activation activation_;
};

}  // namespace kernmill::tasks
