#pragma once
#include "kernmill/kernels/dropout.hpp"
#include "kernmill/tasks/models/network/layer.hpp"

namespace kernmill::tasks {

/// Of a layer's rows in a pass; `number` is the layer's.
kernels::DropoutKey dropout_key(const Pass& pass, std::size_t number);

/// In training, drops a share of its inputs and scales the others up (kernels::drop); else it changes
/// nothing. What is dropped is keyed by seed, step, layer, the row's place in the step's batch, and unit.
template <class T>
class Dropout : public Layer<T> {
 public:
  using typename Layer<T>::Vector;
  using typename Layer<T>::Matrix;

  Dropout(std::uint64_t width, double share, std::size_t number)
      : Layer<T>(width, width), share_(share), number_(number) {}

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
  double share_;
  std::size_t number_;
  Pass pass_;  ///< the last one
};

}  // namespace kernmill::tasks
